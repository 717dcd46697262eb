/*
 * Apart from the schema of an identity: the launcher of workers needs this and no zod, which it would carry through
 * every fork.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCode } from '../errors.ts';
import type { ProcessIdentity } from './process-identity.ts';

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
