import { join } from 'node:path';
import { type JobPaths, readJobs } from '../batch/index.ts';
import { type AskPreview, type JournalEvent, SCHEMA_VERSION } from '../contracts/index.ts';
import { costOf, type FlowContext, readEvents, type WorkSession } from '../dispatch/index.ts';
import { RUN_FILES } from '../runs/index.ts';
import type { BuiltJobs } from './build-jobs.ts';

/** Tokens around a chunk in its prompt: instructions, question and lines that say where the pieces stand. */
const PROMPT_TOKENS_A_JOB = 700;
/** What an answer is taken to hold while nothing is measured. */
const ANSWER_TOKENS = 400;

/** Ids of so many jobs, spread evenly over the file; 0 gives none. */
export async function sampleOf(file: string, paths: JobPaths, size: number): Promise<Set<string>> {
  const ids: string[] = [];
  for await (const { record } of readJobs(file, paths)) ids.push(record.job_id);
  const step = Math.max(1, ids.length / size);
  const chosen = new Set<string>();
  for (let at = step / 2; at < ids.length && chosen.size < size; at += step) {
    const id = ids[Math.floor(at)];
    if (id !== undefined) chosen.add(id);
  }
  return chosen;
}

/** What all jobs would cost, from their size and from what the sample's calls used. */
export async function previewOf(
  built: BuiltJobs,
  context: FlowContext,
  session: WorkSession,
): Promise<AskPreview> {
  const price = session.model === null ? undefined : context.config.values.prices[session.model];
  const prompt = session.model === null ? 0 : built.tokens + built.jobs * PROMPT_TOKENS_A_JOB;
  const usage = {
    input_tokens: prompt,
    cached_input_tokens: 0,
    output_tokens: built.jobs * ANSWER_TOKENS,
    reasoning_output_tokens: 0,
  };
  const calls: Ended[] = [];
  for await (const events of readEvents(join(context.run.dir, RUN_FILES.events))) {
    for (const { event } of events) {
      if (event.type === 'attempt_ended' && event.failure === undefined) calls.push(event);
    }
  }
  return {
    schema_version: SCHEMA_VERSION,
    jobs: built.jobs,
    chunks: built.chunks,
    prompt_tokens: prompt,
    cost_usd: session.model === null ? 0 : price === undefined ? null : costOf(usage, price),
    sample: calls.length === 0 ? null : measured(calls),
  };
}

type Ended = Extract<JournalEvent, { type: 'attempt_ended' }>;

function measured(calls: Ended[]): AskPreview['sample'] {
  const costs = calls.flatMap(({ cost_usd }) => (cost_usd === null ? [] : [cost_usd]));
  return {
    jobs: calls.length,
    input_tokens: spread(calls.map(({ usage }) => usage.input_tokens)),
    output_tokens: spread(calls.map(({ usage }) => usage.output_tokens)),
    duration_ms: spread(calls.map(({ duration_ms }) => duration_ms)),
    cost_usd: costs.length === 0 ? null : spread(costs),
  };
}

function spread(values: number[]): { p50: number; p95: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95) };
}
