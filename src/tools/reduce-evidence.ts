import { join } from 'node:path';
import { z } from 'zod';
import { CoverageFile, EvidenceCounts, RunId } from '../contracts/index.ts';
import { cut, rowsOfOnePage } from './page.ts';
import { runIdInput, runUri } from './report.ts';
import { defineTool } from './tool.ts';
import { callerOf } from './work-input.ts';

/** What evidence may take of a result; counts and gaps need the rest of about 8 kB. */
const EVIDENCE_BYTES = 3000;
const CONFLICT_BYTES = 800;

const Counts = z.object(
  EvidenceCounts.pick({
    jobs_accepted: true,
    jobs_failed: true,
    jobs_never_sent: true,
    quotes: true,
    quotes_rejected: true,
    items: true,
  }).shape,
);
const Coverage = z.object(
  CoverageFile.shape.total.pick({ bytes: true, read: true, percent_read: true, sources_skipped: true }).shape,
);

/** Answers to verified evidence. */
export const reduceEvidence = defineTool({
  name: 'rlm_reduce_evidence',
  title: 'Reduce answers to verified evidence',
  description:
    'Reduces the answers of a batch over ingested documents to evidence: every quote is located in its source and replaced by the words that stand there, or refused and counted; duplicates merge, contradictions are listed, coverage is measured. Writes reduce/evidence.json and reduce/coverage.json.',
  input: z.object({ run_id: runIdInput }),
  output: z.object({
    run_id: RunId,
    counts: Counts.describe('More of them are in evidence_path'),
    coverage: Coverage.describe('Bytes; each document in coverage_path'),
    conflicts: z.int().describe('Statements that may contradict each other: cite both sides'),
    conflicting: z
      .array(z.object({ sources: z.array(z.string()), says: z.string() }))
      .describe('Those of them that have room here'),
    gaps: z.array(z.string()).describe('The first ten'),
    evidence: z
      .array(z.object({ source: z.string(), quote: z.string(), confidence: z.number() }))
      .describe('The surest spans that have room here; source is what a citation names'),
    evidence_cut: z.int().describe('Spans that had no room here: all are in evidence_path'),
    evidence_path: z.string(),
    coverage_path: z.string(),
    evidence_uri: z.string(),
    next: z.string(),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: { positional: ['run_id'] },
  async run(input, context) {
    const [{ reduceRun }, { openCorpus }, { REDUCE_FILES, sourceString }] = await Promise.all([
      import('../ask/index.ts'),
      import('../corpus/index.ts'),
      import('../evidence/index.ts'),
    ]);
    const run = context.openRun(input.run_id);
    const { cwd, allowedRoots } = callerOf(context);
    const paths = { runDir: run.dir, baseDir: cwd, allowedRoots };
    const { evidence, coverage } = await reduceRun(await openCorpus(run.dir), paths);
    const rows = [...evidence.items]
      .sort((a, b) => b.confidence - a.confidence)
      .map((item) => ({
        source: sourceString(item),
        quote: cut(item.quote, 240),
        confidence: item.confidence,
      }));
    const shown = rowsOfOnePage(rows, EVIDENCE_BYTES);
    const places = new Map(evidence.items.map((item) => [item.evidence_id, sourceString(item)]));
    const conflicting = evidence.conflicts.map(({ evidence_ids, description }) => ({
      sources: evidence_ids.slice(0, 4).flatMap((id) => places.get(id) ?? []),
      says: cut(description, 240),
    }));
    return {
      run_id: run.id,
      evidence: shown,
      evidence_cut: rows.length - shown.length,
      counts: Counts.parse(evidence.counts),
      coverage: Coverage.parse(coverage.total),
      conflicts: evidence.conflicts.length,
      conflicting: rowsOfOnePage(conflicting, CONFLICT_BYTES),
      gaps: evidence.gaps.slice(0, 10).map((gap) => cut(gap.text, 200)),
      evidence_path: join(run.dir, REDUCE_FILES.evidence),
      coverage_path: join(run.dir, REDUCE_FILES.coverage),
      evidence_uri: `${runUri(run.id)}/evidence`,
      next:
        evidence.items.length === 0
          ? `Nothing to cite: search in other words, or rlm_finalize {"run_id": "${run.id}"} with the gaps.`
          : `Write the answer from the evidence (all of it: ${runUri(run.id)}/evidence) and pass it through the gate: rlm_finalize {"run_id": "${run.id}"}.`,
    };
  },
});
