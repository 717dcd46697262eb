import { closeSync, existsSync, fstatSync, readSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  ActivityRecord,
  type ActivityState,
  countEvent,
  emptyProgress,
  type Failure,
  type Outcome,
  outcomeOf,
  type Progress,
  RUN_FILES,
  SCHEMA_VERSION,
} from '../contracts/index.ts';
import { parseEvent, readHistorySync } from '../dispatch/index.ts';
import { type NextStep, RlmError, systemCode } from '../errors.ts';
import { openFile, readTextFile, writeJsonAtomic } from '../files/index.ts';
import { driverAlive, isInterrupted, openRunDirectory, type RunHandle, readRecord } from '../runs/index.ts';
import { oneLine } from '../text/index.ts';

/**
 * Reads `activity.json`; undefined when no work was started in the run. One that is damaged or lost is rebuilt from
 * `run.json` and the journal.
 *
 * @throws RlmError `corrupt` for one that a newer version wrote
 */
export function readActivity(run: RunHandle): ActivityRecord | undefined {
  try {
    const record = readRecord(join(run.dir, RUN_FILES.activity), ActivityRecord);
    if (record !== undefined) return record;
  } catch (error) {
    if (!isDamaged(join(run.dir, RUN_FILES.activity))) throw error;
  }
  return rebuildActivity(run);
}

/** Whether a record of ours is no JSON object, as a write that was cut leaves it. */
function isDamaged(path: string): boolean {
  try {
    const value: unknown = JSON.parse(readTextFile(path));
    return typeof value !== 'object' || value === null;
  } catch {
    return true;
  }
}

function rebuildActivity(run: RunHandle): ActivityRecord | undefined {
  const history = readHistorySync(join(run.dir, RUN_FILES.events));
  const { driver, end, worker } = history;
  if (driver === undefined && readParams(run) === undefined) return undefined;
  return {
    schema_version: SCHEMA_VERSION,
    run_id: run.id,
    kind: run.record.kind,
    state: end?.state ?? 'working',
    ...(end?.reason === undefined ? {} : { reason: end.reason }),
    ...(end?.failure === undefined ? {} : { failure: end.failure }),
    ...(end?.ended === undefined ? {} : { ended: end.ended }),
    ...(end?.outcome === undefined ? {} : { outcome: end.outcome }),
    created_at: run.record.created_at,
    generation: history.generation,
    ...(driver === undefined
      ? {}
      : {
          driver: driver.process,
          driver_offset: driver.offset,
          started_at: driver.startedAt,
          driver_started_at: driver.startedAt,
        }),
    ...(end === undefined ? {} : { finished_at: end.ts }),
    ...(worker === undefined ? {} : { worker }),
    progress: history.progress,
    journal_offset: statSync(join(run.dir, RUN_FILES.events), { throwIfNoEntry: false })?.size ?? 0,
  };
}

/** What the run's work was asked to do, as of its last start or resume; undefined when none was started. */
export function readParams(run: RunHandle): Record<string, unknown> | undefined {
  return openRunDirectory(run.dir).record.params;
}

/** Puts on record what the run's work is to do. */
export function writeParams(run: RunHandle, params: Record<string, unknown>): void {
  const { record } = openRunDirectory(run.dir);
  writeJsonAtomic(join(run.dir, RUN_FILES.run), { ...record, params }, { sync: true });
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

/** A driver shows itself every second. One on another host that was silent for so long may be lost with it. */
const LOST_MS = 60_000;
/** One on this host that was silent for so long is stopped, or has no time for anything else. */
const SILENT_MS = 10_000;

/** How long a driver has been silent, milliseconds; undefined as long as that means nothing. */
export function silentFor(record: ActivityRecord, limitMs = LOST_MS): number | undefined {
  const silent = Date.now() - Date.parse(record.heartbeat_at ?? record.created_at);
  return silent < limitMs ? undefined : silent;
}

/** The truth about a run's work, as any process can read it from disk. */
export interface RunStatus {
  record: ActivityRecord;
  /** What the work was asked to do. */
  params: Record<string, unknown>;
  /** As the record says, unless its driver is gone. */
  state: ActivityState;
  /** Null while it is working. */
  outcome: Outcome | null;
  /** Why it paused or failed, where one cause did it. */
  failure: Failure | null;
  reason: string | null;
  progress: Progress;
  driver_alive: boolean | 'unknown';
  /** What to do next, best first. */
  next: NextStep[];
  /** Bytes of the journal: grows with every event. */
  journal_size: number;
}

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
    params: readParams(run) ?? {},
    progress: dead ? { ...progress, running: 0 } : progress,
    driver_alive: alive,
    journal_size: size,
    failure: record.failure ?? null,
    outcome: record.state === 'working' ? null : (record.outcome ?? outcomeOf(record.state, progress)),
  };
  if (dead) {
    const why = record.reason ?? `its driver died${lastError(run, record)}`;
    const reason = `interrupted: ${why}; nothing accepted is lost`;
    return {
      ...status,
      state: 'failed',
      outcome: outcomeOf('failed', progress),
      reason,
      next: [{ tool: 'rlm_resume', args: { run_id: run.id }, why: 'Goes on from what was accepted.' }],
    };
  }
  const silent = describeSilence(run, record, alive);
  if (silent !== undefined) return { ...status, state: record.state, ...silent };
  return {
    ...status,
    state: record.state,
    reason: record.reason ?? null,
    next: nextSteps(run, record, status),
  };
}

/** What to say of a driver that ought to have shown itself; undefined for one that did. */
function describeSilence(
  run: RunHandle,
  record: ActivityRecord,
  alive: boolean | 'unknown',
): { reason: string; next: NextStep[] } | undefined {
  if (record.state !== 'working' || alive === false) return undefined;
  const silent = silentFor(record, alive === 'unknown' ? LOST_MS : SILENT_MS);
  if (silent === undefined) return undefined;
  if (alive === true) {
    const reason = `its driver, pid ${record.driver?.pid ?? 'unknown'}, has been silent for ${Math.round(silent / 1000)} s: it is stopped or busy`;
    return {
      reason,
      next: [
        { tool: 'rlm_wait', args: { run_id: run.id }, why: 'It may go on by itself.' },
        {
          tool: 'rlm_cancel',
          args: { run_id: run.id },
          why: 'Ends it. What was accepted stays, for rlm_resume.',
        },
      ],
    };
  }
  const host = record.driver?.host ?? 'another host';
  const args = { run_id: run.id, take_over: true };
  return {
    reason: `its driver on ${host} has been silent for ${Math.round(silent / 60_000)} min`,
    next: [{ tool: 'rlm_resume', args, why: `If ${host} is gone for good.` }],
  };
}

/** What a driver that died said last, such as that the disk is full, or where it is; empty when it said nothing. */
export function lastError(run: RunHandle, record: ActivityRecord): string {
  const log = join(run.dir, RUN_FILES.driverLog);
  const stat = statSync(log, { throwIfNoEntry: false });
  if (stat === undefined || stat.size === 0) return isDiskFull(run.dir) ? ' (ENOSPC: the disk is full)' : '';
  if (stat.size > MAX_TAIL_BYTES) return '';
  if (stat.mtimeMs < Date.parse(record.created_at)) return '';
  const said = [...readTextFile(log).matchAll(/^(?:\w*Error|FATAL ERROR): ([^\n]{1,200})/gm)].at(-1)?.[1];
  return said === undefined ? `, see ${log}` : ` (${oneLine(said)})`;
}

/** Less room than a journal needs to go on, bytes. */
const FULL_BYTES = 64 * 1024;

/** On a full disk a driver cannot write down why it died. */
function isDiskFull(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize < FULL_BYTES;
  } catch {
    return false;
  }
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
  return { record, alive, dead: alive === false && isInterrupted(run.dir, record) };
}

function nextSteps(
  run: RunHandle,
  record: ActivityRecord,
  { outcome, progress }: Pick<RunStatus, 'outcome' | 'progress'>,
): NextStep[] {
  const args = { run_id: run.id };
  const read = (part: string, why: string): NextStep => ({
    tool: 'rlm_read',
    args: { uri: `rlm://runs/${run.id}${part}` },
    why,
  });
  switch (record.state) {
    case 'working': {
      const why = cancelRequested(run) ? 'It is being cancelled.' : 'Wait for its end.';
      return [{ tool: 'rlm_wait', args, why }];
    }
    case 'completed':
    case 'failed': {
      if (record.failure !== undefined) {
        return [
          { tool: 'rlm_doctor', args: {}, why: 'What would fail, and how to fix it.' },
          { tool: 'rlm_resume', args, why: 'Once the cause is fixed. What was accepted stays.' },
        ];
      }
      const again: NextStep = {
        tool: 'rlm_resume',
        args,
        why: `Runs what failed again: ${progress.failed} of ${progress.total}.`,
      };
      const failed = read('/jobs?state=failed', 'What failed, and why.');
      if (outcome === 'none') return [failed, again];
      const results = resultSteps(run, record, read);
      return outcome === 'all' ? results : [...results.slice(0, 1), failed, again];
    }
    case 'input_required':
      return record.failure?.class === 'budget'
        ? [
            { tool: 'rlm_resume', args, why: 'Goes on when a larger limit is given with it.' },
            read('', 'What there is so far.'),
          ]
        : [{ tool: 'rlm_resume', args, why: 'Once the reason is gone. What was accepted stays.' }];
    case 'cancelled':
      return [{ tool: 'rlm_resume', args, why: 'Goes on after all.' }];
  }
}

/** Where the results of finished work are: a batch over ingested documents is to be reduced first. */
function resultSteps(
  run: RunHandle,
  { kind }: ActivityRecord,
  read: (part: string, why: string) => NextStep,
): NextStep[] {
  if (kind === 'ask') return [read('/answer', 'The cited answer.')];
  if (kind !== 'batch') return [read('', 'The results.')];
  const results = [read('/results', 'One line for each result.'), read('/summary', 'Counts, tokens, cost.')];
  return existsSync(join(run.dir, RUN_FILES.manifest))
    ? [
        {
          tool: 'rlm_reduce_evidence',
          args: { run_id: run.id },
          why: 'Locates every quote in its document, and gives the evidence.',
        },
        ...results,
      ]
    : results;
}

/** Counts the events that came after the last heartbeat. */
function countTail(run: RunHandle, record: ActivityRecord): { progress: Progress; size: number } {
  const progress = record.progress ?? emptyProgress();
  let fd: number;
  try {
    fd = openFile(join(run.dir, RUN_FILES.events));
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
