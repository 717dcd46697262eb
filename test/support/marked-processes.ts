import { readdirSync, readFileSync } from 'node:fs';

/**
 * Pids of processes whose environment says `RLM_WORKER_OF=<mark>`: those of a worker and all their descendants.
 *
 * @param options.leaders only those that lead a process group, which are the ones that we started
 */
export function processesMarked(mark: string, options: { leaders?: boolean } = {}): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const marked = readFileSync(`/proc/${pid}/environ`, 'utf8')
        .split('\0')
        .includes(`RLM_WORKER_OF=${mark}`);
      return marked && (options.leaders !== true || groupOf(pid) === pid);
    } catch {
      // It ended between the listing and the look, or is another user's.
      return false;
    }
  });
}

function groupOf(pid: string): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2];
}
