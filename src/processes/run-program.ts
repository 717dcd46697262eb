import { messageOf, systemCode } from '../errors.ts';
import { liveGroups } from './process.ts';
import { signalGroup } from './spawn.ts';

/** A program that only tells about itself answers well within this, milliseconds. */
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_OUTPUT_BYTES = 4 * 1024 * 1024;
/** Between SIGTERM and SIGKILL, milliseconds. */
const GRACE_MS = 500;

/** How a short program call ended, and what it printed. */
interface ProgramResult {
  stdout: string;
  stderr: string;
  /** Null when it did not exit by itself. */
  exitCode: number | null;
  /** Why there is no exit code: it could not start, was killed, took too long or printed too much; in words. */
  interrupted: string | null;
}

/**
 * Runs a program to its end and returns what it printed: for probes, logins and checks, not for workers. Its whole
 * process group is gone afterwards. Never rejects: a call that did not run to its end says so in `interrupted`.
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: { env: Record<string, string>; cwd: string; timeoutMs?: number; maxBytes?: number },
): Promise<ProgramResult> {
  // Loaded when first needed: most processes call no program.
  const { execa } = await import('execa');
  const { timeoutMs = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_OUTPUT_BYTES } = options;
  const child = execa(file, args, {
    cwd: options.cwd,
    env: options.env,
    extendEnv: false,
    stdin: 'ignore',
    stripFinalNewline: false,
    maxBuffer: maxBytes,
    timeout: timeoutMs,
    forceKillAfterDelay: GRACE_MS,
    // A group of its own, so that the children of the program can be ended with it.
    detached: true,
    cleanup: false,
    reject: false,
  });
  const group = child.pid;
  if (group !== undefined) {
    liveGroups.add(group);
    // A grandchild that holds a pipe would keep `child` from settling.
    child.once('exit', () => signalGroup(group, 'SIGKILL'));
  }
  const result = await child;
  if (group !== undefined) liveGroups.delete(group);
  return {
    stdout: result.stdout,
    stderr: result.stderr,
    exitCode: result.exitCode ?? null,
    interrupted: describeInterruption(result, { timeoutMs, maxBytes }),
  };
}

function describeInterruption(
  result: {
    exitCode?: number | undefined;
    signal?: string | undefined;
    timedOut: boolean;
    isMaxBuffer: boolean;
    cause?: unknown;
  },
  { timeoutMs, maxBytes }: { timeoutMs: number; maxBytes: number },
): string | null {
  if (result.timedOut) return `it did not end within ${timeoutMs} ms`;
  if (result.isMaxBuffer) return `it printed more than ${maxBytes} bytes`;
  if (result.exitCode !== undefined) return null;
  if (result.signal !== undefined) return `it was killed by ${result.signal}`;
  return `it cannot be started: ${systemCode(result.cause) ?? messageOf(result.cause)}`;
}
