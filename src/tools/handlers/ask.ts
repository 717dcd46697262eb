import { join } from 'node:path';
import { startActivity } from '../../activities/index.ts';
import {
  allChunks,
  buildJobs as build,
  chooseChunks,
  prepareAsk,
  prepareIngest,
  type QuestionChunks,
  readIngestReport,
  reduceRun,
} from '../../ask/index.ts';
import type { IngestReport } from '../../contracts/index.ts';
import { RUN_FILES } from '../../contracts/index.ts';
import { type Corpus, configuredEmbeddings, openCorpus } from '../../corpus/index.ts';
import { type NextStep, RlmError } from '../../errors.ts';
import { jsonBytes, PAGE_BYTES, rowsOfOnePage, runUri } from '../../resources/index.ts';
import { type RunHandle, requireNoDriver } from '../../runs/index.ts';
import { truncate } from '../../text/index.ts';
import type { ask } from '../ask.ts';
import type { buildJobs } from '../build-jobs.ts';
import type { ingest } from '../ingest.ts';
import { Counts, Coverage, type reduceEvidence } from '../reduce-evidence.ts';
import type { Handler, ToolContext } from '../tool.ts';
import { callerOf } from './input.ts';
import { reportStarted, waitFor, waitLimit } from './waiting.ts';

/** What evidence may take of a result; counts and gaps need the rest of about 8 kB. */
const EVIDENCE_BYTES = 3000;
const CONFLICT_BYTES = 800;

export const handleAsk: Handler<typeof ask> = async (input, context) => {
  // Taken as a preview, it would be the whole run, and paid for.
  if (input.sample > 0 && !input.dry_run) throw new RlmError('usage', 'needs a dry run', { field: 'sample' });
  const { run, params } = await prepareAsk(input, callerOf(context));
  await startActivity(run, 'ask', params);
  return reportStarted(run, input.wait_sec, context);
};

export const handleIngest: Handler<typeof ingest> = async (input, context) => {
  const known = input.run_id === undefined ? undefined : runOrNone(context, input.run_id);
  const { run, params } = await prepareIngest(input, known, callerOf(context));
  await startActivity(run, 'ingest', params);
  const status = await waitFor(run, waitLimit(input.wait_sec, context).seconds, 'end', context);
  if (status.state === 'failed') {
    throw new RlmError('usage', `nothing was ingested: ${status.reason ?? 'no reason given'}`, {
      hint: `Fix that and ingest again into run '${run.id}'.`,
    });
  }
  const report = status.state === 'completed' ? readIngestReport(run) : null;
  return {
    run_id: run.id,
    run_dir: run.dir,
    uri: runUri(run.id),
    state: status.state,
    report: report === null ? null : small(report),
    next:
      report === null
        ? status.next
        : [
            { tool: 'rlm_search', args: { run_id: run.id }, why: 'Looks into the documents.' },
            { tool: 'rlm_build_jobs', args: { run_id: run.id }, why: 'Puts questions to their chunks.' },
          ],
  };
};

/** The run with that id; undefined when there is none yet. */
function runOrNone(context: ToolContext, runId: string): RunHandle | undefined {
  try {
    return context.openRun(runId);
  } catch (error) {
    if (error instanceof RlmError && error.code === 'not_found') return undefined;
    throw error;
  }
}

/** As much of the lists as fits a result; all of them are in `chunks/sources.jsonl`. */
function small(report: IngestReport): IngestReport {
  const room = PAGE_BYTES - jsonBytes({ ...report, skipped: [], notes: [] });
  return {
    ...report,
    skipped: rowsOfOnePage(report.skipped, room * 0.6),
    notes: rowsOfOnePage(report.notes, room * 0.3),
  };
}

export const handleBuildJobs: Handler<typeof buildJobs> = async (input, context) => {
  const run = context.openRun(input.run_id);
  requireNoDriver(run.dir);
  const corpus = await openCorpus(run.dir);
  const { questions, chunk_ids: named, top_k } = input;
  const every = (chunkIds: string[]) => questions.map((question) => ({ question, chunkIds }));
  const chosen =
    named !== undefined
      ? { by: 'caller' as const, questions: every(named) }
      : top_k === 'all'
        ? { by: 'all' as const, questions: every(allChunks(corpus)) }
        : { by: 'search' as const, questions: await searchChunks(corpus, { ...input, top_k }, context) };
  const built = await build(corpus, chosen.questions, { prefix: '', packTokens: input.pack_tokens });
  return {
    run_id: run.id,
    ...built,
    jobs_path: join(run.dir, RUN_FILES.jobs),
    chosen_by: chosen.by,
    next: built.jobs === 0 ? nothingFound(run) : runJobs(run, questions, built.chunks_not_taken),
  };
};

async function searchChunks(
  corpus: Corpus,
  input: { questions: string[]; top_k: number; expanded_terms: string[] },
  context: ToolContext,
): Promise<QuestionChunks[]> {
  const { questions } = await chooseChunks(corpus, input.questions, {
    topK: input.top_k,
    expansion: { terms: input.expanded_terms, phrasings: [] },
    embeddings: configuredEmbeddings(context.root, context.config.values),
    without: new Set(),
    signal: context.signal,
  });
  return questions;
}

function nothingFound(run: RunHandle): NextStep[] {
  const why = 'Nothing in the documents matches: search in other words, then name chunk_ids.';
  return [{ tool: 'rlm_search', args: { run_id: run.id }, why }];
}

function runJobs(run: RunHandle, questions: string[], notTaken: number): NextStep[] {
  const runs: NextStep = { tool: 'rlm_run_batch', args: { run_id: run.id }, why: 'Runs the jobs.' };
  // A result has no room to repeat long questions.
  if (notTaken === 0 || jsonBytes(questions) > 1000) return [runs];
  const why = `Builds jobs over every chunk: no job reads ${notTaken} of them now.`;
  return [runs, { tool: 'rlm_build_jobs', args: { run_id: run.id, questions, top_k: 'all' }, why }];
}

export const handleReduceEvidence: Handler<typeof reduceEvidence> = async (input, context) => {
  const run = context.openRun(input.run_id);
  const { cwd, allowedRoots } = callerOf(context);
  const paths = { runDir: run.dir, baseDir: cwd, allowedRoots };
  const { evidence, coverage } = await reduceRun(await openCorpus(run.dir), paths);
  const rows = [...evidence.items]
    .sort((a, b) => b.confidence - a.confidence)
    .map((item) => ({
      source: item.location,
      quote: truncate(item.quote, 240),
      confidence: item.confidence,
    }));
  const shown = rowsOfOnePage(rows, EVIDENCE_BYTES);
  const places = new Map(evidence.items.map((item) => [item.evidence_id, item.location]));
  const conflicting = evidence.conflicts.map(({ evidence_ids, description }) => ({
    sources: evidence_ids.slice(0, 4).flatMap((id) => places.get(id) ?? []),
    says: truncate(description, 240),
  }));
  return {
    run_id: run.id,
    evidence: shown,
    evidence_cut: rows.length - shown.length,
    counts: Counts.parse(evidence.counts),
    coverage: Coverage.parse(coverage.total),
    conflicts: evidence.conflicts.length,
    conflicting: rowsOfOnePage(conflicting, CONFLICT_BYTES),
    gaps: evidence.gaps.slice(0, 10).map((gap) => truncate(gap.text, 200)),
    evidence_path: join(run.dir, RUN_FILES.evidence),
    coverage_path: join(run.dir, RUN_FILES.coverage),
    evidence_uri: `${runUri(run.id)}/evidence`,
    next:
      evidence.items.length === 0
        ? [
            { tool: 'rlm_search', args: { run_id: run.id }, why: 'Nothing to cite: search in other words.' },
            {
              tool: 'rlm_finalize',
              args: { run_id: run.id },
              why: 'Or give an answer that states the gaps.',
            },
          ]
        : [
            {
              tool: 'rlm_finalize',
              args: { run_id: run.id },
              why: 'Write the answer from the evidence, and pass it through the gate.',
            },
            { tool: 'rlm_read', args: { uri: `${runUri(run.id)}/evidence` }, why: 'All of the evidence.' },
          ],
  };
};
