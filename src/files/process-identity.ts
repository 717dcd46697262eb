import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { systemCode } from '../errors.ts';

/** A process, distinguishable from a later one with the same pid. */
export const ProcessIdentity = z.object({
  host: z.string(),
  pid: z.int().positive(),
  /** Opaque; two processes with one pid differ in it. Empty when the platform does not tell. */
  start: z.string(),
});
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/** Who is running here. */
export function ownIdentity(): ProcessIdentity {
  return { host: hostname(), pid: process.pid, start: processStart(process.pid) ?? '' };
}

/** Whether that very process still runs: `unknown` when it is on another host. */
export function isAlive(identity: ProcessIdentity): boolean | 'unknown' {
  if (identity.host !== hostname()) return 'unknown';
  const start = processStart(identity.pid);
  if (start === undefined) return false;
  return identity.start === '' || start === identity.start;
}

/**
 * When a process started, as an opaque string: boot id and start ticks on Linux, `ps` elsewhere.
 * `undefined` when there is no such process (a zombie counts as none: it can do no more).
 */
export function processStart(pid: number): string | undefined {
  if (process.platform === 'linux') {
    let stat: string;
    try {
      stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    } catch {
      return undefined;
    }
    // The command name may hold spaces and parentheses: fields are counted from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${bootId()}:${fields[19] ?? ''}`;
  }
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return undefined;
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

let cachedBootId: string | undefined;
function bootId(): string {
  if (cachedBootId === undefined) {
    try {
      cachedBootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    } catch {
      cachedBootId = '';
    }
  }
  return cachedBootId;
}
