import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a program went: wall seconds, its exit code, and the end of what it said on stderr. */
export interface Timed {
  seconds: number;
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program, by argv, while this process goes on: it may be served from here, and be watched. */
export function timed(
  file: string,
  args: string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv; input?: string; onPid?: (pid: number) => void },
): Promise<Timed> {
  const started = performance.now();
  const child = spawn(file, args, { cwd: options.cwd, env: options.env ?? process.env });
  if (child.pid !== undefined) options.onPid?.(child.pid);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ seconds: (performance.now() - started) / 1000, code, stdout, stderr });
    });
  });
}

/** What processes needed, sampled from /proc (Linux); bytes of memory, seconds of processor. */
export interface Peak {
  /** The largest a single process ever was, from the kernel's own high-water mark. */
  one: number;
  /** The largest sum over the processes that were there at one look. */
  together: number;
  /** The most processor time that a single process had used when it was last looked at, its children apart. */
  cpuSeconds: number;
}

/** Clock ticks a second in /proc: 100 on every Linux that Node runs on. */
const TICKS = 100;

/**
 * Watches processes while `work` goes on.
 *
 * @param pids the processes to look at, asked anew at each look
 */
export async function watched<Value>(
  pids: () => Array<string | number>,
  work: Promise<Value>,
): Promise<{ value: Value; peak: Peak }> {
  const peak: Peak = { one: 0, together: 0, cpuSeconds: 0 };
  let over = false;
  const watching = (async () => {
    while (!over) {
      let together = 0;
      for (const pid of pids()) {
        peak.one = Math.max(peak.one, statusField(pid, 'VmHWM'));
        together += statusField(pid, 'VmRSS');
        peak.cpuSeconds = Math.max(peak.cpuSeconds, cpuSeconds(pid));
      }
      peak.together = Math.max(peak.together, together);
      await sleep(250);
    }
  })();
  try {
    return { value: await work, peak };
  } finally {
    over = true;
    await watching;
  }
}

/** A field of /proc/<pid>/status in bytes; 0 for a process that is gone. */
function statusField(pid: string | number, field: 'VmHWM' | 'VmRSS'): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** User and system time of a process; 0 for one that is gone. */
function cpuSeconds(pid: string | number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return 0;
  }
}

/** `123 MB`. */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
