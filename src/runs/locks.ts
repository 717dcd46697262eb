import { basename, join, resolve } from 'node:path';
import { locksDirectory, RUN_FILES } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import {
  acquireLock,
  ensureDirectory,
  type HeldLock,
  isAlive,
  type LockHolder,
  readLock,
} from '../files/index.ts';
import { ensureStateDirectory } from './run.ts';

/**
 * Makes this process the one driver of a run. A driver that died on this host is replaced; one that lives, or
 * that sits on another host, is not.
 *
 * @param token of a lock that its living holder hands over, or that is taken from a lost one
 * @throws RlmError `conflict` naming the driver
 */
export function lockDriver(runDir: string, purpose: string, token?: string): HeldLock {
  const takeOver = token === undefined ? 'if-dead' : { token };
  return acquireLock(join(runDir, RUN_FILES.driverLock), purpose, takeOver);
}

/** Whether a driver works on the run; `unknown` when it sits on another host. */
export function driverAlive(runDir: string): boolean | 'unknown' {
  const holder = readLock(join(runDir, RUN_FILES.driverLock));
  return holder === undefined ? false : isAlive(holder);
}

/** A driver that has not shown itself so long after it was started never will, milliseconds. */
const START_LIMIT_MS = 15_000;

/**
 * Whether the record of a run's work says that it goes on, and its driver is gone. A driver writes the end of its
 * work before it goes: when this is true of a record that was read a while ago, read it again and ask once more.
 */
export function isInterrupted(
  runDir: string,
  record: { state?: unknown; driver?: unknown; created_at?: unknown },
): boolean {
  if (record.state !== 'working' || driverAlive(runDir) !== false) return false;
  return record.driver !== undefined || Date.now() - Date.parse(String(record.created_at)) > START_LIMIT_MS;
}

/** A driver on another host, whose state cannot be seen from this one. */
export function driverElsewhere(runDir: string): LockHolder | undefined {
  const holder = readLock(join(runDir, RUN_FILES.driverLock));
  return holder !== undefined && isAlive(holder) === 'unknown' ? holder : undefined;
}

/** @throws RlmError `conflict` when a driver works on the run */
export function requireNoDriver(runDir: string): void {
  const holder = readLock(join(runDir, RUN_FILES.driverLock));
  const alive = holder === undefined ? false : isAlive(holder);
  if (holder === undefined || alive === false) return;
  throw new RlmError(
    'conflict',
    `the run in ${runDir} is being driven by pid ${holder.pid} on ${holder.host}`,
    {
      hint:
        alive === 'unknown'
          ? {
              text: `Wait for it, or cancel it, first. If ${holder.host} is gone for good, take the run over.`,
              action: { tool: 'rlm_resume', args: { run_id: basename(runDir), take_over: true } },
            }
          : {
              text: 'Wait for it, or cancel it, first.',
              action: { tool: 'rlm_wait', args: { run_id: basename(runDir) } },
            },
      retryable: true,
    },
  );
}

/** No run id begins like this, so it is no orchestrator's lock. */
const WORKING_TREE_LOCK = '_working-tree.lock';

/**
 * Makes a run the only one that changes the files of the root in place; one whose driver died is replaced.
 *
 * @throws RlmError `conflict` naming the run that works there
 */
export function lockWorkingTree(root: string, runId: string): HeldLock {
  requireFreeWorkingTree(root);
  ensureDirectory(locksDirectory(root));
  return acquireLock(join(locksDirectory(root), WORKING_TREE_LOCK), runId, 'if-dead');
}

/** @throws RlmError `conflict` naming the run that works in the root in place */
export function requireFreeWorkingTree(root: string): void {
  const holder = readLock(join(locksDirectory(root), WORKING_TREE_LOCK));
  if (holder === undefined || isAlive(holder) === false) return;
  throw new RlmError('conflict', `run '${holder.purpose}' is changing the files of ${root}`, {
    hint: {
      text: 'Wait for it, or cancel it; or work in a worktree of your own (isolate: worktree).',
      action: { tool: 'rlm_wait', args: { run_id: holder.purpose } },
    },
    retryable: true,
  });
}

/** A holder this old is reported as stale; it is replaced by an explicit take-over only. */
const STALE_LOCK_HOURS = 24;

/** What may be done about a holder that is in the way: nothing, replace one whose process is gone, replace anyone. */
export type TakeOver = 'never' | 'if-dead' | 'always';

/** Who orchestrates a run. */
export interface OrchestratorLockState {
  holder: LockHolder;
  /** Its process: running, gone from this host, or on another host. */
  alive: boolean | 'unknown';
  /** It is this process. */
  own: boolean;
  /** Held for a day or longer. */
  stale: boolean;
}

/** Held until released or until the process ends; a second call of the same process finds it here. */
const held = new Map<string, HeldLock>();

/**
 * Takes the lock of a run for this process, or finds that it holds it already. A holder whose process is gone
 * from this host is replaced, and named in `replaced`; any other one only with `takeOver: 'always'`.
 *
 * @throws RlmError `conflict` naming the holder
 */
export function holdOrchestratorLock(
  root: string,
  runId: string,
  options: { takeOver?: TakeOver | undefined } = {},
): { holder: LockHolder; replaced: LockHolder | undefined; already: boolean } {
  if (runId === 'cleanup') {
    throw new RlmError('usage', "run_id 'cleanup' is taken: its lock would be the lock of the cleanup");
  }
  ensureStateDirectory(root);
  ensureDirectory(locksDirectory(root));
  const path = orchestratorLockPath(root, runId);
  const before = readLock(path);
  const mine = held.get(path);
  if (mine !== undefined && before?.token === mine.holder.token) {
    return { holder: mine.holder, replaced: undefined, already: true };
  }
  const lock = acquireLock(path, `orchestrating ${runId}`, options.takeOver ?? 'if-dead');
  if (held.size === 0) process.once('exit', releaseAllOrchestratorLocks);
  held.set(path, lock);
  return { holder: lock.holder, replaced: before, already: false };
}

/** Gives the lock back; no error when this process does not hold it. */
export function releaseOrchestratorLock(root: string, runId: string): void {
  const path = orchestratorLockPath(root, runId);
  held.get(path)?.release();
  held.delete(path);
  if (held.size === 0) process.off('exit', releaseAllOrchestratorLocks);
}

/** Gives back every lock of this process; its end does so too, unless it is killed. */
export function releaseAllOrchestratorLocks(): void {
  process.off('exit', releaseAllOrchestratorLocks);
  for (const lock of held.values()) lock.release();
  held.clear();
}

/** Who holds the lock of a run, or undefined when it is free. */
export function orchestratorLock(
  root: string,
  runId: string,
  now: Date = new Date(),
): OrchestratorLockState | undefined {
  const path = orchestratorLockPath(root, runId);
  const holder = readLock(path);
  if (holder === undefined) return undefined;
  const hours = (now.getTime() - Date.parse(holder.acquired_at)) / 3_600_000;
  return {
    holder,
    alive: isAlive(holder),
    own: held.get(path)?.holder.token === holder.token,
    stale: hours >= STALE_LOCK_HOURS,
  };
}

/** `.rlm/locks/<run_id>.lock`. */
export function orchestratorLockPath(root: string, runId: string): string {
  return join(locksDirectory(resolve(root)), `${runId}.lock`);
}
