import { existsSync, readFileSync, statSync } from 'node:fs';
import { JobRecord, type ResultRecord, RUN_FILES } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { parseLine, readLineBatches, resolveInside } from '../files/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { truncate } from '../text/index.ts';
import { jsonBytes, PAGE_BYTES } from './report.ts';

/**
 * One job, from the run's own files: what was asked, how it ended, and its answer when that fits a page.
 * Both files are scanned, with flat memory, because a job has no index: 1 s for a million of them.
 *
 * @throws RlmError `not_found`
 */
export async function readJob(run: RunHandle, jobId: string) {
  const job = await findJob(run, jobId);
  const result = await lastResult(run, jobId);
  const path = resolveInside(run.dir, job.output_path, 'output_path');
  const resource = {
    run_id: run.id,
    job: { ...job, question: truncate(job.question, 1500) },
    result: result === undefined ? null : shorten(result),
    answer_path: existsSync(path) ? path : null,
    answer: readAnswer(path),
  };
  return jsonBytes(resource) <= PAGE_BYTES ? resource : { ...resource, answer: null };
}

async function findJob(run: RunHandle, jobId: string): Promise<JobRecord> {
  const path = resolveInside(run.dir, RUN_FILES.jobs, RUN_FILES.jobs);
  if (existsSync(path)) {
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
    hint: `rlm://runs/${run.id}/jobs lists its jobs.`,
  });
}

async function lastResult(run: RunHandle, jobId: string): Promise<ResultRecord | undefined> {
  const path = resolveInside(run.dir, RUN_FILES.events, RUN_FILES.events);
  if (!existsSync(path)) return undefined;
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
function readAnswer(path: string): unknown {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined || size > PAGE_BYTES) return null;
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
