import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** A launcher's process: requests go to its stdin, replies come from its stdout. */
export type LauncherChild = ChildProcessByStdio<Writable, Readable, null>;

/** What it holds is copied at every fork, and threads of V8's own make that dearer: 1.4 ms a program, not 1.6. */
const LEAN_PROCESS = ['--single-threaded', '--no-opt', '--max-semi-space-size=1'];

let early: LauncherChild | undefined;

/** Starts a launcher before anything else is loaded, so that the first launch need not wait for it. */
export function startLauncher(program: string): void {
  early = spawnLauncher(program);
}

/** The launcher that was started before, or a new one. */
export function takeLauncher(program: string): LauncherChild {
  const taken = early;
  early = undefined;
  return taken?.exitCode === null && taken.signalCode === null ? taken : spawnLauncher(program);
}

/** Ends the launcher that was started before and never taken. */
export async function endEarlyLauncher(): Promise<void> {
  const child = early;
  early = undefined;
  if (child !== undefined) await endLauncher(child);
}

/** A launcher leaves at the end of its stdin; one that does not is killed. Settles when it is gone. */
export async function endLauncher(child: LauncherChild): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'close');
  const timer = setTimeout(() => child.kill('SIGKILL'), LEAVE_MS);
  child.stdin.end();
  await gone;
  clearTimeout(timer);
}

/** A launcher takes 10 ms to leave. */
const LEAVE_MS = 500;

/**
 * It is the spawner's own part, so not started by itself, nor as a session: that would load execa first. Its stderr
 * is not ours: ours may still be that of a command which others wait for.
 */
function spawnLauncher(program: string): LauncherChild {
  const child = spawn(process.execPath, [...LEAN_PROCESS, program], { stdio: ['pipe', 'pipe', 'ignore'] });
  // A launcher that is gone breaks the pipe; its `close` tells of it.
  child.stdin.on('error', () => {});
  child.on('error', () => {});
  return child;
}
