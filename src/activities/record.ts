import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ActivityRecord } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { writeJsonAtomic } from '../files/index.ts';
import { RUN_FILES, type RunHandle, readRecord } from '../runs/index.ts';

/** Reads `activity.json`; undefined when no work was started in the run. */
export function readActivity(run: RunHandle): ActivityRecord | undefined {
  return readRecord(join(run.dir, RUN_FILES.activity), ActivityRecord);
}

/** As `readActivity`, for work that must be there. */
export function requireActivity(run: RunHandle): ActivityRecord {
  const record = readActivity(run);
  if (record !== undefined) return record;
  throw new RlmError('conflict', `no work was ever started in run '${run.id}'`, {
    hint: 'Start some, such as with rlm_run_batch or rlm_run_ready.',
  });
}

export function writeActivity(
  run: RunHandle,
  record: ActivityRecord,
  options: { sync?: boolean } = {},
): void {
  writeJsonAtomic(join(run.dir, RUN_FILES.activity), record, options);
}

/** Whether somebody asked for the end of the activity. */
export function cancelRequested(run: RunHandle): boolean {
  return existsSync(join(run.dir, RUN_FILES.cancel));
}

/** A driver beats every second. One on another host that was silent for so long may be lost with it. */
const LOST_MS = 60_000;

/** How long a driver elsewhere has been silent, milliseconds; undefined as long as that means nothing. */
export function silentFor(record: ActivityRecord): number | undefined {
  const silent = Date.now() - Date.parse(record.heartbeat_at ?? record.created_at);
  return silent < LOST_MS ? undefined : silent;
}
