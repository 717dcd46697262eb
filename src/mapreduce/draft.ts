import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Task } from '../contracts/index.ts';
import { RlmError, systemCode } from '../errors.ts';
import { ensureDirectory, removeIfEmpty, resolveInside, writeFileAtomic } from '../files/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { PLAN_FILES } from './layout.ts';

/** Largest report that is published, in bytes: a narrative report is far below this. */
const MAX_REPORT_BYTES = 16 * 1024 * 1024;

/**
 * Where a worker writes its report: in a directory of its own, because sandboxes open directories, and one that
 * held all reports would let every worker write over those of the others. The driver publishes it to the plan's
 * `report_path`, where everybody else reads it.
 *
 * @returns an absolute path
 */
export function draftPath(run: RunHandle, task: Pick<Task, 'worker_id' | 'report_path'>): string {
  return join(run.dir, PLAN_FILES.drafts, task.worker_id, basename(task.report_path));
}

/**
 * Puts a draft in the place of the report, as a file of our own that nobody else has open. Nothing happens without
 * a draft: a worker that is not confined may have written to the report itself.
 *
 * @throws RlmError `forbidden` when the draft is no regular file or not where it should be, `limit` when it is too large
 */
export function publishDraft(run: RunHandle, task: Pick<Task, 'worker_id' | 'report_path'>): void {
  const draft = draftPath(run, task);
  if (lstatSync(draft, { throwIfNoEntry: false }) === undefined) return;
  const directory = dirname(draft);
  if (realpathSync(directory) !== join(realpathSync(run.dir), PLAN_FILES.drafts, task.worker_id)) {
    throw new RlmError('forbidden', `${directory} leads through a symlink`);
  }
  const { bytes, modified } = readDraft(draft);
  const reports = join(run.dir, PLAN_FILES.reports);
  const report = resolveInside(reports, resolve(run.record.root, task.report_path), 'report_path');
  ensureDirectory(dirname(report));
  writeFileAtomic(report, bytes);
  utimesSync(report, modified, modified);
  rmSync(draft, { force: true });
  // What else a worker left there stays, as part of the run.
  removeIfEmpty(directory);
}

function readDraft(draft: string): { bytes: Uint8Array; modified: Date } {
  let fd: number;
  try {
    // A symlink is not followed, and a pipe does not keep us waiting.
    fd = openSync(draft, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) !== 'ELOOP') throw error;
    throw new RlmError('forbidden', `the report is a symlink: ${draft}`);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new RlmError('forbidden', `the report is not a file: ${draft}`);
    if (stat.size > MAX_REPORT_BYTES) {
      throw new RlmError(
        'limit',
        `the report has ${stat.size} bytes, more than ${MAX_REPORT_BYTES}: ${draft}`,
      );
    }
    return { bytes: readFileSync(fd), modified: stat.mtime };
  } finally {
    closeSync(fd);
  }
}
