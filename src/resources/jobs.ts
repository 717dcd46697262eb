import { closeSync, existsSync, readSync, statSync } from 'node:fs';
import { BatchSummary, JobRecord, type ResultRecord, RUN_FILES } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { openFile, parseLine, readLineBatches, readTextFile, resolveInside } from '../files/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { oneLine, truncate } from '../text/index.ts';
import { jobUri } from './address.ts';
import { type JsonPage, jsonBytes, readLinePage } from './page.ts';

const JOB_STATES = ['accepted', 'failed', 'open'];
/** Longest line of the list of results, bytes. */
const RESULT_LINE_BYTES = 100;

/**
 * One page of a run's jobs in the order of its jobs file, each with how it ended.
 *
 * @param state only jobs in this state
 * @throws RlmError `usage` for another state or cursor
 */
export async function readJobsPage(
  run: RunHandle,
  query: { cursor: string | undefined; state: string | undefined },
  maxBytes: number,
): Promise<JsonPage> {
  const { cursor, state: wanted } = query;
  if (wanted !== undefined && !JOB_STATES.includes(wanted)) {
    throw new RlmError('usage', `state '${truncate(wanted, 40)}' is none of a job`, {
      hint: `States are ${JOB_STATES.join(', ')}.`,
    });
  }
  const journal = fileOf(run, RUN_FILES.events);
  const { ResultReader, readHistory } = await import('../dispatch/index.ts');
  const history = journal === undefined ? undefined : await readHistory(journal);
  const results = journal === undefined ? undefined : new ResultReader(journal);
  try {
    const page = await readLinePage(requireFile(run, RUN_FILES.jobs), cursor, maxBytes, (line) => {
      const job = JobRecord.safeParse(parseLine(line)).data;
      if (job === undefined) return undefined;
      const offset = history?.accepted.get(job.job_id) || history?.failed.get(job.job_id);
      const result = offset === undefined ? undefined : results?.read(offset);
      const state = result?.status ?? 'open';
      if (wanted !== undefined && state !== wanted) return undefined;
      return {
        job_id: truncate(job.job_id, 200),
        chunk_id: job.chunk_id,
        question: truncate(job.question, 160),
        state,
        failure_class: result?.failure_class ?? null,
        error: result === undefined || state === 'accepted' ? null : oneLine(result.errors[0] ?? '', 160),
        uri: truncate(jobUri(run.id, job.job_id), 400),
      };
    });
    return { json: { run_id: run.id, jobs: page.rows }, nextCursor: page.nextCursor };
  } finally {
    results?.close();
  }
}

/** One page of a run's results, each a line: what it is about, how it ended, and the beginning of what it says. */
export async function readResultsPage(
  run: RunHandle,
  cursor: string | undefined,
  maxBytes: number,
): Promise<JsonPage> {
  const { parseEvent } = await import('../dispatch/index.ts');
  const page = await readLinePage(requireFile(run, RUN_FILES.events), cursor, maxBytes, (line) => {
    if (!line.complete || !line.text.includes('"result"')) return undefined;
    const event = parseEvent(line.text);
    return event?.type === 'result' ? resultLine(run, event.result) : undefined;
  });
  const file = fileOf(run, RUN_FILES.results);
  return {
    json: { run_id: run.id, results: page.rows, ...(file === undefined ? {} : { path: file }) },
    nextCursor: page.nextCursor,
  };
}

function resultLine(run: RunHandle, result: ResultRecord): string {
  const { id, status, failure_class, errors } = result;
  const says = status === 'accepted' ? summaryOf(run, result) : `${failure_class ?? ''} ${errors[0] ?? ''}`;
  const line = oneLine(`${truncate(id, 40)} ${status}: ${says}`);
  let length = RESULT_LINE_BYTES;
  let text = truncate(line, length);
  while (Buffer.byteLength(text) > RESULT_LINE_BYTES) {
    length -= 1;
    text = truncate(line, length);
  }
  return text;
}

/** What an answer says in its summary, or as JSON. */
function summaryOf(run: RunHandle, { output_path }: ResultRecord): string {
  if (output_path === undefined) return '';
  const answer = readAnswer(resolveInside(run.dir, output_path, 'output_path'), 1 << 20);
  const summary: unknown =
    typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'summary') : undefined;
  if (typeof summary === 'string') return summary;
  return answer === null ? '' : JSON.stringify(answer);
}

/**
 * One job, from the run's own files: what was asked, how it ended, and its answer when that fits a page.
 * Both files are scanned, with flat memory, because a job has no index: 1 s for a million of them.
 *
 * @throws RlmError `not_found`
 */
export async function readJob(run: RunHandle, jobId: string, maxBytes: number): Promise<JsonPage> {
  const job = await findJob(run, jobId);
  const result = await lastResult(run, jobId);
  const path = resolveInside(run.dir, job.output_path, 'output_path');
  const json = {
    run_id: run.id,
    job: { ...job, question: truncate(job.question, 1500) },
    result: result === undefined ? null : shorten(result),
    answer_path: existsSync(path) ? path : null,
    answer: readAnswer(path, maxBytes),
  };
  return { json: jsonBytes(json) <= maxBytes ? json : { ...json, answer: null }, nextCursor: null };
}

async function findJob(run: RunHandle, jobId: string): Promise<JobRecord> {
  const path = fileOf(run, RUN_FILES.jobs);
  if (path !== undefined) {
    const needle = JSON.stringify(jobId);
    for await (const batch of readLineBatches(path)) {
      for (const line of batch) {
        if (!line.text.includes(needle)) continue;
        const job = JobRecord.safeParse(parseLine(line));
        if (job.success && job.data.job_id === jobId) return job.data;
      }
    }
  }
  throw new RlmError('not_found', `run '${run.id}' has no job '${truncate(jobId, 100)}'`, {
    hint: {
      text: 'List its jobs.',
      action: { tool: 'rlm_read', args: { uri: `rlm://runs/${run.id}/jobs` } },
    },
  });
}

async function lastResult(run: RunHandle, jobId: string): Promise<ResultRecord | undefined> {
  const path = fileOf(run, RUN_FILES.events);
  if (path === undefined) return undefined;
  const { parseEvent } = await import('../dispatch/index.ts');
  const needle = JSON.stringify(jobId);
  let result: ResultRecord | undefined;
  for await (const batch of readLineBatches(path)) {
    for (const line of batch) {
      if (!line.complete || !line.text.includes('"result"') || !line.text.includes(needle)) continue;
      const event = parseEvent(line.text);
      if (event?.type === 'result' && event.result.id === jobId) result = event.result;
    }
  }
  return result;
}

function shorten(result: ResultRecord): ResultRecord {
  return {
    ...result,
    errors: result.errors.slice(-3).map((error) => truncate(error, 400)),
    log_paths: result.log_paths.slice(-5),
  };
}

/** The accepted answer; null when there is none, or none that is small enough to be shown. */
function readAnswer(path: string, maxBytes: number): unknown {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile() || stat.size > maxBytes) return null;
  try {
    return JSON.parse(readTextFile(path));
  } catch {
    return null;
  }
}

/** A file of a run; undefined when it is not there. */
function fileOf(run: RunHandle, name: string): string | undefined {
  const path = resolveInside(run.dir, name, name);
  return existsSync(path) ? path : undefined;
}

function requireFile(run: RunHandle, name: string): string {
  const path = fileOf(run, name);
  if (path !== undefined) return path;
  throw new RlmError('not_found', `run '${run.id}' has no ${name}`, {
    hint: {
      text: 'See what there is to read.',
      action: { tool: 'rlm_read', args: { uri: `rlm://runs/${run.id}` } },
    },
  });
}

const SummaryHead = BatchSummary.omit({ results: true });

/**
 * The totals of `summary.json`. They are written before `results`, which may be hundreds of megabytes: only the head
 * is read. Undefined for a file that does not look like one.
 */
export function readSummaryHead(path: string): Omit<BatchSummary, 'results'> | undefined {
  const buffer = Buffer.alloc(1 << 16);
  const fd = openFile(path);
  try {
    const text = buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0));
    const results = text.search(/,\s*"results"\s*:/);
    return results === -1 ? undefined : SummaryHead.safeParse(JSON.parse(`${text.slice(0, results)}}`)).data;
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}
