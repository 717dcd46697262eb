import { join, resolve } from 'node:path';
import { locksDirectory } from '../contracts/index.ts';
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
