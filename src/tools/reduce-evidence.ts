import { z } from 'zod';
import { CoverageFile, EvidenceCounts, RunId } from '../contracts/index.ts';
import { NextSteps } from '../resources/index.ts';
import { runIdInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** Counts that a result has room for. */
export const Counts = z.object(
  EvidenceCounts.pick({
    jobs_accepted: true,
    jobs_failed: true,
    jobs_never_sent: true,
    quotes: true,
    quotes_rejected: true,
    items: true,
  }).shape,
);
export const Coverage = z.object(
  CoverageFile.shape.total.pick({ bytes: true, read: true, percent_read: true, sources_skipped: true }).shape,
);

/** Answers to verified evidence. */
export const reduceEvidence = defineTool({
  name: 'rlm_reduce_evidence',
  title: 'Reduce answers to verified evidence',
  description:
    'Reduces the answers of a batch over ingested documents to evidence: every quote is located in its source and replaced by the words that stand there, or refused and counted; duplicates merge, contradictions are listed, coverage is measured. Writes reduce/evidence.json and reduce/coverage.json.',
  input: z.object({ run_id: runIdInput }),
  example: { run_id: 'my-documents' },
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
    next: NextSteps,
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: { positional: ['run_id'] },
});
