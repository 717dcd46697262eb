import { once } from 'node:events';
import { createWriteStream, existsSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type BatchSummary,
  NO_USAGE,
  type ResultRecord,
  RUN_FILES,
  SCHEMA_VERSION,
  type SummaryRow,
} from '../contracts/index.ts';
import { type History, ResultReader, type Stop } from '../dispatch/index.ts';
import { ensureDirectory, FILE_MODE, insideOf, readLines, temporaryName } from '../files/index.ts';

/** What the summary says of the run as a whole. */
export interface SummaryHead {
  runDir: string;
  state: BatchSummary['state'];
  reason: string | null;
  stop: Stop | undefined;
  /** What the whole journal says. */
  history: History;
  durationMs: number;
}

/** A job's id, and its `output_path`. */
export interface JobOutput {
  id: string;
  output: string;
}

/** What a batch keeps about an answer of its own; other flows keep other things. */
function detailOf(detail: Record<string, unknown> = {}) {
  const { normalised, quotes_verified, quotes_missing, quotes_unchecked } = detail;
  const count = (value: unknown) => (typeof value === 'number' ? value : 0);
  return {
    normalised: Array.isArray(normalised) ? normalised.map(String) : [],
    quotes_verified: count(quotes_verified),
    quotes_missing: count(quotes_missing),
    quotes_unchecked: count(quotes_unchecked),
  };
}

/**
 * Writes `summary.json` from the journal: every job has its row, also those that were not run. Rows are
 * sorted by id and streamed; memory is the ids and one row.
 *
 * @returns the counts
 */
export async function writeSummary(
  head: SummaryHead,
  jobs: AsyncIterable<JobOutput> | Iterable<JobOutput>,
): Promise<{ total: number; succeeded: number; failed: number }> {
  const journal = join(head.runDir, RUN_FILES.events);
  const { history } = head;
  const sorted: JobOutput[] = [];
  for await (const job of jobs) sorted.push(job);
  sorted.sort((a, b) => (a.id < b.id ? -1 : 1));
  const results = new ResultReader(journal);
  const path = join(head.runDir, RUN_FILES.summary);
  const temporary = temporaryName(path);
  const file = createWriteStream(temporary, { mode: FILE_MODE, flags: 'wx' });
  const write = async (text: string) => {
    if (!file.write(text)) await once(file, 'drain');
  };
  const counts = { total: sorted.length, succeeded: 0, failed: 0 };
  try {
    for (const job of sorted) {
      if ((history.accepted.get(job.id) ?? 0) > 0) counts.succeeded += 1;
    }
    counts.failed = counts.total - counts.succeeded;
    const { usage, cost_usd, cache_hits } = history.progress;
    const lead: Omit<BatchSummary, 'results'> = {
      schema_version: SCHEMA_VERSION,
      run_dir: head.runDir,
      state: head.state,
      reason: head.reason,
      jobs_total: counts.total,
      jobs_succeeded: counts.succeeded,
      jobs_failed: counts.failed,
      cache_hits,
      duration_sec: Math.round(head.durationMs) / 1000,
      usage_totals: usage,
      cost_usd,
    };
    await write(`${JSON.stringify(lead, null, 2).slice(0, -2)},\n  "results": [`);
    let separator = '\n    ';
    for (const job of sorted) {
      await write(separator + JSON.stringify(rowOf(job, history, results, head.stop)));
      separator = ',\n    ';
    }
    await write('\n  ]\n}\n');
    file.end();
    await once(file, 'close');
    renameSync(temporary, path);
  } finally {
    results.close();
    file.destroy();
  }
  return counts;
}

/**
 * Writes `out/results.jsonl`: how each job ended, a line each in the order of the jobs, with the accepted answers. One
 * file to read where there may be thousands.
 *
 * @param before what the journal said before this driver: what was accepted then is taken from the file as it is
 */
export async function writeResults(
  runDir: string,
  { before, history }: { before: History; history: History },
  jobs: AsyncIterable<JobOutput> | Iterable<JobOutput>,
): Promise<void> {
  const path = join(runDir, RUN_FILES.results);
  ensureDirectory(dirname(path));
  const temporary = temporaryName(path);
  const inside = insideOf(runDir);
  const results = new ResultReader(join(runDir, RUN_FILES.events));
  const file = createWriteStream(temporary, { mode: FILE_MODE, flags: 'wx' });
  // The lines of before are in the order of the jobs, too.
  const old = existsSync(path) ? readLines(path, { maxLineBytes: Number.MAX_SAFE_INTEGER }) : undefined;
  let known = await old?.next();
  try {
    for await (const job of jobs) {
      const carried = before.accepted.get(job.id);
      const text = known?.done === false ? known.value.text : '';
      if (text.startsWith(`{"job_id":${JSON.stringify(job.id)},`)) {
        known = await old?.next();
        if (carried && carried === history.accepted.get(job.id)) {
          if (!file.write(`${text}\n`)) await once(file, 'drain');
          continue;
        }
      }
      const offset = history.accepted.get(job.id) || history.failed.get(job.id);
      const result = offset === undefined ? undefined : results.read(offset);
      const line = {
        job_id: job.id,
        status: result?.status ?? 'open',
        failure_class: result?.failure_class ?? null,
        error: result?.errors[0] ?? null,
        answer: result?.status === 'accepted' ? readAnswer(inside, job.output) : null,
      };
      if (!file.write(`${JSON.stringify(line)}\n`)) await once(file, 'drain');
    }
    file.end();
    await once(file, 'close');
    renameSync(temporary, path);
  } finally {
    await old?.return(undefined);
    results.close();
    file.destroy();
  }
}

/** An accepted answer; null when its file has gone or changed into something else since. */
function readAnswer(inside: ReturnType<typeof insideOf>, output: string): unknown {
  try {
    return JSON.parse(readFileSync(inside(output, 'output_path'), 'utf8'));
  } catch {
    return null;
  }
}

function rowOf(job: JobOutput, history: History, results: ResultReader, stop: Stop | undefined): SummaryRow {
  const offset = history.accepted.get(job.id) || history.failed.get(job.id);
  const result = offset === undefined ? undefined : results.read(offset);
  return result?.id === job.id ? rowOfResult(result, job.output) : openRow(job, history, stop);
}

function rowOfResult(result: ResultRecord, outputPath: string): SummaryRow {
  return {
    job_id: result.id,
    status: result.status === 'accepted' ? 'success' : 'failed',
    attempts: result.attempts,
    output_path: outputPath,
    log_paths: result.log_paths,
    usage: result.usage,
    errors: result.errors,
    duration_ms: Math.round(result.duration_ms),
    worker: result.worker,
    model: result.model,
    failure_class: result.failure_class,
    cache_hit: result.cache_hit,
    cost_usd: result.cost_usd,
    ...detailOf(result.detail),
  };
}

/** A job that the run stopped before; `resume` takes it up. */
function openRow(job: JobOutput, history: History, stop: Stop | undefined): SummaryRow {
  const earlier = history.attempts.get(job.id);
  return {
    job_id: job.id,
    status: 'failed',
    attempts: earlier?.last ?? 0,
    output_path: job.output,
    log_paths: [],
    usage: earlier?.usage ?? NO_USAGE,
    errors: [stop === undefined ? 'not finished' : `not finished: ${stop.failure.message}`],
    duration_ms: 0,
    worker: '',
    model: null,
    failure_class: stop?.why ?? null,
    cache_hit: false,
    cost_usd: earlier?.costUsd ?? null,
    normalised: [],
    quotes_verified: 0,
    quotes_missing: 0,
    quotes_unchecked: 0,
  };
}
