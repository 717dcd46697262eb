import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  ActivityRecord,
  type ActivityState,
  countEvent,
  emptyProgress,
  type Progress,
  RUN_FILES,
} from '../contracts/index.ts';
import { parseEvent } from '../dispatch/index.ts';
import { type NextStep, RlmError, systemCode } from '../errors.ts';
import { writeJsonAtomic } from '../files/index.ts';
import { driverAlive, type RunHandle, readRecord } from '../runs/index.ts';
import { oneLine } from '../text/index.ts';

/** Reads `activity.json`; undefined when no work was started in the run. */
export function readActivity(run: RunHandle): ActivityRecord | undefined {
  return readRecord(join(run.dir, RUN_FILES.activity), ActivityRecord);
}

/** As `readActivity`, for work that must be there. */
export function requireActivity(run: RunHandle): ActivityRecord {
  const record = readActivity(run);
  if (record !== undefined) return record;
  throw new RlmError('conflict', `no work was ever started in run '${run.id}'`, {
    hint: { text: 'See what is in it.', action: { tool: 'rlm_status', args: { run_id: run.id } } },
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

/** The truth about a run's work, as any process can read it from disk. */
export interface RunStatus {
  record: ActivityRecord;
  /** As the record says, unless its driver is gone. */
  state: ActivityState;
  reason: string | null;
  progress: Progress;
  driver_alive: boolean | 'unknown';
  /** What to do next, best first. */
  next: NextStep[];
  /** Bytes of the journal: grows with every event. */
  journal_size: number;
}

/** A driver that has not shown itself so long after it was started never will. */
const START_LIMIT_MS = 15_000;
/** Events between two heartbeats are a few kB; a longer tail is counted at the next heartbeat. */
const MAX_TAIL_BYTES = 4 * 1024 * 1024;

/**
 * Reads the state of a run: its last heartbeat, the events since, and whether its driver lives.
 * Costs the same for ten jobs and a million.
 */
export function readStatus(run: RunHandle): RunStatus {
  const { record, alive, dead } = readLiveness(run);
  const { progress, size } = countTail(run, record);
  const status = {
    record,
    progress: dead ? { ...progress, running: 0 } : progress,
    driver_alive: alive,
    journal_size: size,
  };
  if (dead) {
    const why = record.reason ?? `its driver died${lastError(run, record)}`;
    const reason = `interrupted: ${why}; nothing accepted is lost`;
    return {
      ...status,
      state: 'failed',
      reason,
      next: [{ tool: 'rlm_resume', args: { run_id: run.id }, why: 'Goes on from what was accepted.' }],
    };
  }
  const silent = alive === 'unknown' && record.state === 'working' ? silentFor(record) : undefined;
  if (silent !== undefined) {
    const host = record.driver?.host ?? 'another host';
    const reason = `its driver on ${host} has been silent for ${Math.round(silent / 60_000)} min`;
    const next: NextStep[] = [
      {
        tool: 'rlm_resume',
        args: { run_id: run.id, take_over: true },
        why: `If ${host} is gone for good.`,
      },
    ];
    return { ...status, state: record.state, reason, next };
  }
  return { ...status, state: record.state, reason: record.reason ?? null, next: nextSteps(run, record) };
}

/** What a driver that died said last, such as that the disk is full, or where it is; empty when it said nothing. */
export function lastError(run: RunHandle, record: ActivityRecord): string {
  const log = join(run.dir, RUN_FILES.driverLog);
  const stat = statSync(log, { throwIfNoEntry: false });
  if (stat === undefined || stat.size === 0 || stat.size > MAX_TAIL_BYTES) return '';
  if (stat.mtimeMs < Date.parse(record.created_at)) return '';
  const said = [...readFileSync(log, 'utf8').matchAll(/^(?:\w*Error|FATAL ERROR): ([^\n]{1,200})/gm)].at(
    -1,
  )?.[1];
  return said === undefined ? `, see ${log}` : ` (${oneLine(said)})`;
}

/** Whether nothing more will come of a run unless somebody resumes it. Cheap: no event is read. */
export function isOver(run: RunHandle): boolean {
  const { record, alive, dead } = readLiveness(run);
  return dead || (record.state !== 'working' && alive !== true);
}

function readLiveness(run: RunHandle): { record: ActivityRecord; alive: boolean | 'unknown'; dead: boolean } {
  // Asked before the record is read: a driver writes the end of its activity before it goes.
  const alive = driverAlive(run.dir);
  const record = requireActivity(run);
  return { record, alive, dead: record.state === 'working' && alive === false && !justStarted(record) };
}

function justStarted(record: ActivityRecord): boolean {
  const since = record.driver === undefined ? record.created_at : undefined;
  return since !== undefined && Date.now() - Date.parse(since) < START_LIMIT_MS;
}

function nextSteps(run: RunHandle, record: ActivityRecord): NextStep[] {
  const args = { run_id: run.id };
  const uri = `rlm://runs/${run.id}`;
  switch (record.state) {
    case 'working': {
      const why = cancelRequested(run) ? 'It is being cancelled.' : 'Wait for its end.';
      return [{ tool: 'rlm_wait', args, why }];
    }
    case 'completed':
      return record.kind === 'ask'
        ? [{ tool: 'rlm_read', args: { uri: `${uri}/answer` }, why: 'The cited answer.' }]
        : [{ tool: 'rlm_read', args: { uri }, why: 'The results.' }];
    case 'input_required':
      return record.failure?.class === 'budget'
        ? [
            { tool: 'rlm_resume', args, why: 'Goes on when a larger limit is given with it.' },
            { tool: 'rlm_read', args: { uri }, why: 'What there is so far.' },
          ]
        : [{ tool: 'rlm_resume', args, why: 'Once the reason is gone. What was accepted stays.' }];
    case 'failed':
      return record.failure === undefined
        ? [
            { tool: 'rlm_read', args: { uri: `${uri}/jobs` }, why: 'Which jobs failed.' },
            { tool: 'rlm_resume', args, why: 'Runs the failed jobs again.' },
          ]
        : [
            { tool: 'rlm_doctor', args: {}, why: 'What would fail, and how to fix it.' },
            { tool: 'rlm_resume', args, why: 'Once the cause is fixed. What was accepted stays.' },
          ];
    case 'cancelled':
      return [{ tool: 'rlm_resume', args, why: 'Goes on after all.' }];
  }
}

/** Counts the events that came after the last heartbeat. */
function countTail(run: RunHandle, record: ActivityRecord): { progress: Progress; size: number } {
  const progress = record.progress ?? emptyProgress();
  let fd: number;
  try {
    fd = openSync(join(run.dir, RUN_FILES.events), 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { progress, size: 0 };
    throw error;
  }
  try {
    const { size } = fstatSync(fd);
    const from = record.journal_offset ?? 0;
    const tail = Buffer.alloc(Math.min(MAX_TAIL_BYTES, Math.max(0, size - from)));
    const bytes = readSync(fd, tail, 0, tail.length, from);
    const whole = tail.subarray(0, bytes).lastIndexOf(0x0a) + 1;
    for (const line of tail.toString('utf8', 0, whole).split('\n')) {
      const event = line === '' ? undefined : parseEvent(line);
      if (event !== undefined) countEvent(progress, event);
    }
    return { progress, size };
  } finally {
    closeSync(fd);
  }
}
