import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  type ActivityRecord,
  emptyProgress,
  type JobRecord,
  type JournalEvent,
  NO_USAGE,
  RUN_FILES,
  SCHEMA_VERSION,
} from '../../src/contracts/index.ts';
import { JsonlAppender, writeJsonAtomic } from '../../src/files/index.ts';
import { createRun, type RunHandle } from '../../src/runs/index.ts';

/** A directory that is gone after the test. */
export function temporaryDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'rlm-test-')));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A batch as its driver leaves it: every job answered but the ones named as failed. */
export function finishedBatch(
  root: string,
  options: { jobs: number; failed?: readonly string[]; runId?: string; title?: string },
): RunHandle {
  const run = createRun(root, {
    kind: 'batch',
    title: options.title ?? `${options.jobs} jobs`,
    ...(options.runId === undefined ? {} : { runId: options.runId }),
  });
  const failed = new Set(options.failed);
  const jobs = new JsonlAppender(join(run.dir, RUN_FILES.jobs));
  const events = new JsonlAppender(join(run.dir, RUN_FILES.events));
  const ts = new Date().toISOString();
  const write = (event: JournalEvent) => events.append(event);
  write({ ts, type: 'driver_started', generation: 1, driver: run.record.created_by });
  write({
    ts,
    type: 'assignments',
    added: options.jobs,
    carried: 0,
    concurrency: 8,
    worker: 'extractive',
    why: 'test',
  });
  for (let index = 1; index <= options.jobs; index += 1) {
    const id = jobId(index);
    const job: JobRecord = {
      job_id: id,
      chunk_id: `c-${index}`,
      chunk_path: 'chunk.txt',
      question: `What does chunk ${index} say?`,
      output_path: `subresults/${id}.json`,
      schema_path: 'schema.json',
      sandbox: 'read-only',
    };
    jobs.append(job);
    const accepted = !failed.has(id);
    if (accepted)
      place(join(run.dir, job.output_path), JSON.stringify({ chunk_id: job.chunk_id, relevant: true }));
    write({
      ts,
      type: 'result',
      result: {
        id,
        status: accepted ? 'accepted' : 'failed',
        attempts: accepted ? 1 : 3,
        usage: NO_USAGE,
        cost_usd: null,
        duration_ms: 5,
        worker: 'extractive',
        model: null,
        cache_hit: false,
        failure_class: accepted ? null : 'invalid_output',
        errors: accepted ? [] : ['chunk_id is not the one of the job'],
        log_paths: [],
        key: 'k',
      },
    });
  }
  write({ ts, type: 'finished', state: failed.size === 0 ? 'completed' : 'failed' });
  writeActivity(run, {
    state: failed.size === 0 ? 'completed' : 'failed',
    progress: {
      ...emptyProgress(),
      total: options.jobs,
      accepted: options.jobs - failed.size,
      failed: failed.size,
      attempts: options.jobs + 2 * failed.size,
      concurrency: 8,
    },
    journal_offset: events.size,
  });
  jobs.close();
  events.close();
  return run;
}

/** Id of the nth job of `finishedBatch`. */
export function jobId(index: number): string {
  return `job-${String(index).padStart(5, '0')}`;
}

/** Writes a run's `activity.json`. */
export function writeActivity(
  run: RunHandle,
  fields: Pick<ActivityRecord, 'state'> & Partial<ActivityRecord>,
): void {
  const record: ActivityRecord = {
    schema_version: SCHEMA_VERSION,
    run_id: run.id,
    kind: run.record.kind,
    created_at: run.record.created_at,
    started_at: run.record.created_at,
    generation: 1,
    driver: run.record.created_by,
    ...fields,
  };
  writeJsonAtomic(join(run.dir, RUN_FILES.activity), record);
}

/** Writes a file with its directories. */
export function place(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
