import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { type BatchOptions, RUN_FILES, runsDirectory, WorkParams } from '../contracts/index.ts';
import { type Caller, requireKind, requirePrice, resolveWork } from '../dispatch/index.ts';
import { RlmError } from '../errors.ts';
import { FILE_MODE, resolveInside, temporaryName } from '../files/index.ts';
import { createRun, openRun, openRunDirectory, type RunHandle, requireNoDriver } from '../runs/index.ts';
import { checkJobs } from './jobs.ts';

/** What a batch was asked to do: who works, and where the paths of its jobs start and may lead. */
export const BatchParams = WorkParams.extend({
  /** Where relative `chunk_path` and `schema_path` start. */
  base_dir: z.string(),
  /** Directories that chunks and schemas must lie in; null for no such limit (a person at the command line). */
  allowed_roots: z.array(z.string()).nullable(),
  jobs_total: z.int().nonnegative(),
});
export type BatchParams = z.infer<typeof BatchParams>;

/**
 * Checks everything about a batch and makes its run; nothing is left behind when something is wrong.
 * The order of the checks is part of the contract: a blank model is reported before the jobs file is opened.
 *
 * @returns the run, the parameters its activity is to be started with, and how the jobs get into the run: that
 *   is for whoever holds the run
 * @throws RlmError `usage`, `not_found` or `forbidden`
 */
export async function prepareBatch(
  options: BatchOptions,
  caller: Caller,
): Promise<{ run: RunHandle; params: BatchParams; keepJobs: () => Promise<void> }> {
  const work = resolveWork(options, caller);
  requirePrice(work, caller.config);
  const { cwd, root, allowedRoots } = caller;
  const where = placeOf(options, caller);
  const jobs = options.jobs === undefined ? join(where, RUN_FILES.jobs) : resolve(cwd, options.jobs);
  if (allowedRoots !== null) resolveInside(root, jobs, 'jobs');
  requireJobsFile(jobs, options, root);
  refuseForeign(where, jobs);
  requireNoDriver(where);
  // Output paths are checked against a directory that need not exist yet: nothing is created until all is valid.
  const paths = { baseDir: cwd, allowedRoots, runDir: where };
  const total = await checkJobs(jobs, paths, work.worker);

  const run =
    options.jobs === undefined && options.run_id !== undefined
      ? openRun(root, options.run_id)
      : createRun(root, {
          kind: 'batch',
          title: `${total} jobs of ${jobs}`,
          runId: options.run_id,
          dir: options.run_dir === undefined ? undefined : where,
        });
  const params = { ...work, base_dir: cwd, allowed_roots: allowedRoots, jobs_total: total };
  return { run, params, keepJobs: () => keepJobs(jobs, run.dir) };
}

/**
 * People name the documents themselves where a jobs file is wanted, or a run whose jobs are not built yet.
 *
 * @throws RlmError `not_found` or `usage` with the call that makes jobs of them
 */
function requireJobsFile(path: string, { jobs, run_id, run_dir }: BatchOptions, root: string): void {
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  if (isFile && (jobs === undefined || /\.(?:jsonl|ndjson|json)$/i.test(jobs) || holdsRecords(path))) return;
  if (jobs === undefined) {
    if (run_id === undefined || run_dir !== undefined) {
      throw new RlmError('not_found', `there is no ${path}`, { field: 'jobs' });
    }
    openRun(root, run_id);
    throw new RlmError('not_found', `run '${run_id}' has no jobs yet`, {
      hint: {
        text: 'Build its jobs first, from questions about its documents.',
        action: { tool: 'rlm_build_jobs', args: { run_id, questions: ['What do you want to know?'] } },
      },
    });
  }
  const isDocuments = isFile || /[*?[{]/.test(jobs) || existsSync(path);
  if (!isDocuments) throw new RlmError('not_found', `does not exist: ${path}`, { field: 'jobs' });
  throw new RlmError('usage', `is not a file of jobs, one JSON object a line: ${jobs}`, {
    field: 'jobs',
    hint: {
      text: 'These look like documents: ingest them, then build jobs from questions about them.',
      action: { tool: 'rlm_ingest', args: { input: [jobs] } },
    },
  });
}

/** Whether a file begins like JSONL. */
function holdsRecords(path: string): boolean {
  const start = Buffer.alloc(256);
  const fd = openSync(path, 'r');
  try {
    const text = start
      .toString('utf8', 0, readSync(fd, start))
      .replace(/^\ufeff/, '')
      .trimStart();
    return text === '' || text.startsWith('{');
  } finally {
    closeSync(fd);
  }
}

/** The directory the run has or will have; a made-up one for a run whose id is not chosen yet. */
function placeOf(options: BatchOptions, { cwd, root, allowedRoots }: Caller): string {
  if (options.run_dir === undefined) {
    if (options.jobs === undefined && options.run_id === undefined) {
      throw new RlmError('usage', 'is required', {
        field: 'jobs',
        hint: 'Name a jobs file, or the run that has one.',
      });
    }
    return join(runsDirectory(root), options.run_id ?? 'new');
  }
  const dir = resolve(cwd, options.run_dir);
  return allowedRoots === null ? dir : resolveInside(root, dir, 'run_dir');
}

/** A place for a run is a directory, and the jobs file in it, if there is one, is of a batch or the one that was named. */
function refuseForeign(where: string, jobs: string): void {
  if (!existsSync(where)) return;
  requireKind(where, 'directory', 'run_dir');
  const kept = join(where, RUN_FILES.jobs);
  if (kept === jobs) return;
  if (existsSync(join(where, RUN_FILES.run))) {
    const { kind } = openRunDirectory(where).record;
    if (kind === 'batch') return;
    throw new RlmError(
      'conflict',
      `${where} holds a run of kind '${kind}', whose work this would take the place of`,
      {
        hint: 'Choose another directory for the run.',
      },
    );
  }
  if (!existsSync(kept)) return;
  throw new RlmError('conflict', `${kept} is there already and is of no run: it would be replaced`, {
    hint: 'Name that file as the jobs to run, move it away, or choose another directory for the run.',
  });
}

/** Keeps the run's own copy of its jobs, so that a later edit of the original changes nothing. */
async function keepJobs(file: string, runDir: string): Promise<void> {
  const own = join(runDir, RUN_FILES.jobs);
  if (resolve(file) === own) return;
  const temporary = temporaryName(own);
  try {
    await pipeline(createReadStream(file), createWriteStream(temporary, { mode: FILE_MODE, flags: 'wx' }));
    renameSync(temporary, own);
  } finally {
    if (existsSync(temporary)) rmSync(temporary);
  }
}
