import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isAlive, type ProcessIdentity, processStart } from '../files/index.ts';

/**
 * The processes below others, at this moment, by the parents that the system names (Linux). It finds a child that left
 * its group and cleared its environment, as long as its own parent lives; a daemon, which is nobody's child, it does not.
 */
export function descendantsOf(roots: readonly number[]): ProcessIdentity[] {
  if (process.platform !== 'linux' || roots.length === 0) return [];
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? parentOf(Number(name)) : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: ProcessIdentity[] = [];
  const open = [...roots];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    for (const child of children.get(pid) ?? []) {
      const start = processStart(child);
      if (start !== undefined) found.push({ host: hostname(), pid: child, start });
      open.push(child);
    }
  }
  return found;
}

/** Kills those of them that are still what they were. */
export function killProcesses(processes: readonly ProcessIdentity[]): void {
  for (const identity of processes) if (isAlive(identity) === true) signalProcess(identity.pid, 'SIGKILL');
}

/** Signals one process; one that is gone already, or another user's, is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone by now.
  }
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name may hold spaces and parentheses: fields are counted from the last one.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
