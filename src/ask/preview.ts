import { join } from 'node:path';
import { AskPreview, type JournalEvent, RUN_FILES, SCHEMA_VERSION } from '../contracts/index.ts';
import type { Corpus } from '../corpus/index.ts';
import { costOf, endOfStop, type FlowEnd, readEvents } from '../dispatch/index.ts';
import { writeJsonAtomic } from '../files/index.ts';
import { type ChunkJob, countJobs, type JobCounts, writeJobs } from './jobs.ts';
import { readResult } from './model-step.ts';
import { previewText } from './result.ts';
import type { AskRun } from './run.ts';

/** Tokens around a chunk in its prompt: instructions, question and lines that say where the chunks start. */
const PROMPT_TOKENS_A_JOB = 700;
/** What an answer is taken to hold while nothing is measured. */
const ANSWER_TOKENS = 400;

/** What a question would cost. Without expansion: nothing is spent but what the sample takes. */
export async function previewAsk(ask: AskRun, corpus: Corpus, all: string[] | undefined): Promise<FlowEnd> {
  const { question, sample } = ask.params;
  const jobs = await ask.planPass(corpus, [question], 1, all);
  await writeJobs(corpus.runDir, jobs);
  const picked = pickEvenly(jobs, sample);
  const stop = await ask.dispatch(corpus, picked);
  const preview = await previewOf(countJobs(jobs), ask);
  if (picked.length > 0 && preview.sample === null) ask.note(whyUnmeasured(ask, picked));
  writeJsonAtomic(join(corpus.runDir, RUN_FILES.preview), AskPreview.parse(preview));
  ask.save();
  return stop === undefined
    ? {
        state: 'completed',
        reason: `preview only, nothing was answered: ${previewText(preview).replace('\n', '; ')}`,
      }
    : endOfStop(stop);
}

function whyUnmeasured({ context }: AskRun, picked: readonly ChunkJob[]): string {
  const results = picked.map(({ record }) => readResult(context, record.job_id));
  const failed = results.filter((result) => result?.status === 'failed');
  if (failed.length > 0) {
    return `${failed.length} of ${picked.length} sample jobs failed: ${failed.at(-1)?.errors.at(-1) ?? 'no reason given'}`;
  }
  return results.includes(undefined)
    ? 'the sample was not finished'
    : 'the sample was answered from the cache: there was nothing to measure';
}

/** So many of a list, evenly spread over it. */
function pickEvenly<T>(items: readonly T[], size: number): T[] {
  const count = Math.min(size, items.length);
  const step = items.length / count;
  return Array.from({ length: count }, (_, index) => items[Math.floor((index + 0.5) * step)]).filter(
    (item) => item !== undefined,
  );
}

/** What all jobs would cost, from their size and from what the sample's calls used. */
async function previewOf(counts: JobCounts, { context, session }: AskRun): Promise<AskPreview> {
  const price = session.model === null ? undefined : context.config.values.prices[session.model];
  const prompt = session.model === null ? 0 : counts.tokens + counts.jobs * PROMPT_TOKENS_A_JOB;
  const usage = {
    input_tokens: prompt,
    cached_input_tokens: 0,
    output_tokens: counts.jobs * ANSWER_TOKENS,
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
    jobs: counts.jobs,
    chunks: counts.chunks,
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
