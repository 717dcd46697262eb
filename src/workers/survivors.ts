import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, type ProcessIdentity } from '../files/index.ts';
import { RUN_VARIABLE } from './environment.ts';
import { signalGroup } from './spawn.ts';

const GRACE_MS = 500;
const POLL_MS = 20;

/**
 * Ends every worker process of a run that is still there, after a crash of its driver or a cancel: those the
 * journal knows, and on Linux also those that carry the run's mark in their environment, which finds a worker
 * that was started an instant before the crash, and grandchildren that left their group.
 *
 * @returns the pids that were ended
 */
export async function endSurvivors(runDir: string, known: ProcessIdentity[]): Promise<number[]> {
  const ended = new Set<number>();
  const deadline = performance.now() + GRACE_MS;
  for (;;) {
    const left = new Set([
      ...known.filter((process) => isAlive(process) === true).map(({ pid }) => pid),
      ...marked(runDir),
    ]);
    if (left.size === 0) return [...ended];
    const signal = performance.now() < deadline ? 'SIGTERM' : 'SIGKILL';
    for (const pid of left) {
      if (ended.has(pid) && signal === 'SIGTERM') continue;
      ended.add(pid);
      signalGroup(pid, signal);
      signalProcess(pid, signal);
    }
    await sleep(POLL_MS);
  }
}

/** Pids of our own user's processes whose environment names the run directory. */
function marked(runDir: string): number[] {
  if (process.platform !== 'linux') return [];
  const mark = `${RUN_VARIABLE}=${runDir}`;
  const pids: number[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      // A zombie's environment reads as empty, so it is no survivor.
      if (readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(mark)) pids.push(pid);
    } catch {
      // Gone by now, or another user's.
    }
  }
  return pids;
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone by now.
  }
}
