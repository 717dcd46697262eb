import { basename, join } from 'node:path';
import { RUN_FILES } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { acquireLock, type HeldLock, isAlive, type LockHolder, readLock } from '../files/index.ts';

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

/** A driver on another host, of which nobody here can tell whether it lives. */
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
