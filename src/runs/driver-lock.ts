import { join } from 'node:path';
import { RlmError } from '../errors.ts';
import { acquireLock, type HeldLock, isAlive, readLock } from '../files/index.ts';
import { RUN_FILES } from './layout.ts';

/**
 * Makes this process the one driver of a run. A driver that died on this host is replaced; one that lives, or
 * that sits on another host, is not.
 *
 * @param token of a lock that its living holder hands over
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

/** @throws RlmError `conflict` when a driver works on the run */
export function requireNoDriver(runDir: string): void {
  const lock = join(runDir, RUN_FILES.driverLock);
  const holder = readLock(lock);
  const alive = holder === undefined ? false : isAlive(holder);
  if (holder === undefined || alive === false) return;
  const away = ` If ${holder.host} is gone for good, remove ${lock}; what was accepted stays.`;
  throw new RlmError(
    'conflict',
    `the run in ${runDir} is being driven by pid ${holder.pid} on ${holder.host}`,
    {
      hint: `Wait for it (rlm_wait), or cancel it (rlm_cancel), first.${alive === 'unknown' ? away : ''}`,
      retryable: true,
    },
  );
}
