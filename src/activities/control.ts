import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ActivityRecord, RUN_FILES, type RunKind, SCHEMA_VERSION } from '../contracts/index.ts';
import { Journal, readHistory } from '../dispatch/index.ts';
import { RlmError, systemCode } from '../errors.ts';
import {
  type HeldLock,
  isAlive,
  type ProcessIdentity,
  packageRoot,
  writeJsonAtomic,
} from '../files/index.ts';
import { endSurvivors } from '../processes/index.ts';
import {
  driverAlive,
  driverElsewhere,
  lockDriver,
  type RunHandle,
  requireNoDriver,
  requireNotArchived,
} from '../runs/index.ts';
import { takeDriver } from './driver-process/index.ts';
import { waitForChange } from './follow.ts';
import {
  lastError,
  type RunStatus,
  readParams,
  readStatus,
  requireActivity,
  silentFor,
  writeActivity,
  writeParams,
} from './status.ts';

/** How long a start waits for the driver to show itself; it takes about 0.2 s. */
const START_WAIT_MS = 30_000;
const LOOK_MS = 10;

/**
 * Starts background work in a run: writes `activity.json` and spawns the detached driver. Returns when the
 * driver has the run, so that a driver that cannot start is an error here and not a mystery later. A run
 * whose earlier work is over may be started again: what was accepted stays.
 *
 * @param prepare writes the flow's input, once nobody else can work on the run
 * @throws RlmError `conflict` when a driver works on the run, `unavailable` when the driver does not come up
 */
export async function startActivity(
  run: RunHandle,
  kind: RunKind,
  params: Record<string, unknown>,
  prepare: () => Promise<void> = async () => {},
): Promise<RunStatus> {
  const started = launchDriver(run, async () => {
    await prepare();
    const record: ActivityRecord = {
      schema_version: SCHEMA_VERSION,
      run_id: run.id,
      kind,
      state: 'working',
      created_at: new Date().toISOString(),
      generation: 0,
    };
    return { record, params };
  });
  try {
    return await started;
  } catch (error) {
    // Such as on a full disk: what is left of it would be in the way of the next try, and could not be resumed.
    const begun = existsSync(join(run.dir, RUN_FILES.activity));
    if (run.isNew === true && !begun) rmSync(run.dir, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Takes up work that was interrupted, cancelled, paused by a quota or budget, or that failed.
 *
 * @param options.change parameters to change, such as a larger budget
 * @param options.takeOver also from a driver on another host that was lost with it
 * @param options.prepare writes the flow's input, once nobody else and no process of the run works on it
 * @throws RlmError `conflict` when a driver works on the run or there is nothing to resume
 */
export async function resumeActivity(
  run: RunHandle,
  options: {
    change?: Record<string, unknown>;
    takeOver?: boolean | undefined;
    prepare?: (() => void | Promise<void>) | undefined;
  } = {},
): Promise<RunStatus> {
  const { change = {}, takeOver, prepare } = options;
  const resumed = async (): Promise<Launch> => {
    const before = requireActivity(run);
    const failed = before.progress?.failed ?? 0;
    if (before.state === 'completed' && failed === 0 && Object.keys(change).length === 0) {
      throw new RlmError('conflict', `run '${run.id}' is completed; there is nothing to resume`);
    }
    const { driver: _driver, reason: _reason, failure: _failure, ...rest } = before;
    const { outcome: _outcome, finished_at: _finished, ...kept } = rest;
    const record: ActivityRecord = { ...kept, state: 'working', created_at: new Date().toISOString() };
    if (prepare !== undefined) {
      await endSurvivors(run.dir, (await readHistory(join(run.dir, RUN_FILES.events))).survivors);
      await prepare();
    }
    return { record, params: { ...readParams(run), ...change } };
  };
  return launchDriver(run, resumed, takeOver === true ? lostDriver(run) : undefined);
}

/** What a driver is to take up. */
interface Launch {
  record: ActivityRecord;
  params: Record<string, unknown>;
}

/**
 * The token of a driver that was lost with its host; undefined when none is in the way.
 *
 * @throws RlmError `conflict` for one that showed itself a short while ago
 */
function lostDriver(run: RunHandle): string | undefined {
  const holder = driverElsewhere(run.dir);
  if (holder === undefined) return undefined;
  const record = requireActivity(run);
  if (silentFor(record) !== undefined) return holder.token;
  throw new RlmError('conflict', `the driver on ${holder.host} showed itself at ${record.heartbeat_at}`, {
    hint: 'It can be taken over after a minute of silence.',
    retryable: true,
  });
}

/** How long a driver that is to end may show no sign of life before it is killed, milliseconds. */
const UNRESPONSIVE_MS = 2500;
/** How long one may take that does show itself: mostly it needs less than a second. */
const ENDING_MS = 10_000;

/**
 * Ends a run's work and every process of it. A driver that can does it itself, on a flag and a SIGTERM; one that is
 * stopped or blocked is killed with its workers, and the end is written here, as after one that had died before.
 *
 * @param options.timeoutMs how long to wait for a driver on another host, which can only be asked
 * @throws RlmError `conflict` when the driver is on another host and does not answer in time
 */
export async function cancelActivity(run: RunHandle, options: { timeoutMs: number }): Promise<RunStatus> {
  const before = readStatus(run);
  if (before.record.state !== 'working' && before.driver_alive === false) return before;
  writeJsonAtomic(join(run.dir, RUN_FILES.cancel), { requested_at: new Date().toISOString() });
  const { driver } = before.record;
  let reason = CANCELLED_AFTER_DEATH;
  if (before.driver_alive === true && driver !== undefined && isAlive(driver) === true) {
    signal(driver.pid, 'SIGTERM');
    if (!(await hasEnded(run, driver))) {
      reason = 'cancelled; its driver did not answer and was killed';
      // Its launchers are in its group; its workers are ended by `cancelDead`.
      for (const pid of [-driver.pid, driver.pid]) if (isAlive(driver) === true) signal(pid, 'SIGKILL');
      await waitForEnd(run, ENDING_MS);
    }
  } else if (before.driver_alive !== false) await waitForEnd(run, options.timeoutMs);
  if (driverAlive(run.dir) !== false) {
    throw new RlmError('conflict', `the driver of run '${run.id}' has not ended yet`, {
      hint:
        driverElsewhere(run.dir) === undefined
          ? {
              text: 'The cancel is on record: wait for its end.',
              action: { tool: 'rlm_wait', args: { run_id: run.id } },
            }
          : {
              text: 'It is on another host. If that is gone for good, take the run over, then cancel again.',
              action: { tool: 'rlm_resume', args: { run_id: run.id, take_over: true } },
            },
      retryable: true,
    });
  }
  if (requireActivity(run).state === 'working') await cancelDead(run, reason);
  rmSync(join(run.dir, RUN_FILES.cancel), { force: true });
  return readStatus(run);
}

const CANCELLED_AFTER_DEATH = 'cancelled after its driver had died';

/** Whether a driver that was asked to end did; false as soon as it shows no sign of life, or takes too long. */
async function hasEnded(run: RunHandle, driver: ProcessIdentity): Promise<boolean> {
  const started = performance.now();
  let heartbeat = '';
  let shownAt = started;
  for (;;) {
    await waitForEnd(run, 250);
    if (isAlive(driver) !== true) return true;
    const now = performance.now();
    const { heartbeat_at = '' } = requireActivity(run);
    if (heartbeat_at !== heartbeat) [heartbeat, shownAt] = [heartbeat_at, now];
    if (now - shownAt > UNRESPONSIVE_MS || now - started > ENDING_MS) return false;
  }
}

function waitForEnd(run: RunHandle, timeoutMs: number): Promise<RunStatus> {
  return waitForChange(run, { timeoutMs, until: 'end', signal: AbortSignal.timeout(timeoutMs) });
}

/** @param pid negative for a process group */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}

/** Writes the end of an activity whose driver is gone. */
async function cancelDead(run: RunHandle, reason: string): Promise<void> {
  const lock: HeldLock = lockDriver(run.dir, `cancelling ${run.id}`);
  try {
    const path = join(run.dir, RUN_FILES.events);
    const history = await readHistory(path);
    await endSurvivors(run.dir, history.survivors);
    const journal = new Journal(path, history);
    journal.append({ type: 'finished', state: 'cancelled', reason });
    writeActivity(run, {
      ...requireActivity(run),
      state: 'cancelled',
      reason,
      finished_at: new Date().toISOString(),
      progress: journal.progress,
      journal_offset: journal.size,
    });
    journal.close();
  } finally {
    lock.release();
  }
}

/**
 * Writes the activity and spawns its driver while holding the run's driver lock, which the driver then takes
 * over from us: of many that start or resume a run at once, one does, and the others learn who.
 *
 * @param prepare what the activity starts from; made once nobody else can change it
 * @param lost token of a driver that is to be replaced, dead or alive
 */
async function launchDriver(
  run: RunHandle,
  prepare: () => Promise<Launch>,
  lost?: string,
): Promise<RunStatus> {
  requireRoot(run);
  requireNotArchived(run);
  if (lost === undefined) requireNoDriver(run.dir);
  const lock = lockDriver(run.dir, `starting ${run.id}`, lost);
  try {
    const { record, params } = await prepare();
    rmSync(join(run.dir, RUN_FILES.cancel), { force: true });
    writeParams(run, params);
    writeActivity(run, record);
    // All workers but the reader within the driver itself are programs.
    const programs = params.worker !== undefined && params.worker !== 'extractive';
    return await spawnDriver(run, record, { programs, token: lock.holder.token });
  } finally {
    lock.release();
  }
}

/** The paths of a run's work start at its root. */
function requireRoot({ id, record: { root } }: RunHandle): void {
  if (existsSync(root)) return;
  throw new RlmError('not_found', `the root of run '${id}' is gone: ${root}`, {
    hint: 'If the project was moved, put a symlink in its old place: the paths of the run lead there.',
  });
}

/** Has a process drive the run, and waits until it holds it. */
async function spawnDriver(
  run: RunHandle,
  before: ActivityRecord,
  { programs, token }: { programs: boolean; token: string },
): Promise<RunStatus> {
  const driver = takeDriver(driverProgram(), { kind: before.kind, programs });
  driver.drive({ run_dir: run.dir, token });
  const deadline = performance.now() + START_WAIT_MS;
  for (;;) {
    const record = requireActivity(run);
    if (record.generation > before.generation || record.state !== 'working') return readStatus(run);
    if (driver.gone || performance.now() > deadline) {
      // One that comes up later would find a lock that is no longer meant for it.
      driver.kill();
      throw new RlmError(
        'unavailable',
        `the driver of run '${run.id}' did not come up${lastError(run, before)}`,
        {
          hint: `Its log is ${join(run.dir, RUN_FILES.driverLog)}.`,
          retryable: true,
        },
      );
    }
    await sleep(LOOK_MS);
  }
}

/** The program that carries the driver. */
function driverProgram(): string {
  const program = join(packageRoot(), 'dist', 'rlm.js');
  if (existsSync(program)) return program;
  throw new RlmError('internal', `${program} is missing`, { hint: 'Run `npm run build`.' });
}
