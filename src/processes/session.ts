import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { systemCode } from '../errors.ts';
import { FILE_MODE, LineSplitter, type ProcessIdentity, processStart } from '../files/index.ts';
import { GRACE_MS, HOST, liveGroups, type ProcessEnd } from './process.ts';
import { signalGroup } from './spawn.ts';

/** A program that is talked to line by line for as long as it lives. */
export interface SessionSpec {
  file: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  stderrPath: string;
  /** Each line of its stdout. It must not throw. */
  onLine(line: string): void;
  /** A longer line ends the process: nothing is ever held beyond this. */
  maxLineBytes: number;
  onProcess?: ((process: ProcessIdentity) => void) | undefined;
}

export interface Session {
  /** Writes one line to its stdin and waits until the pipe takes more; lost when the process is gone. */
  send(line: string): Promise<void>;
  /** Ends it as a group: end of stdin, then SIGKILL for what is left after half a second. */
  close(): Promise<ProcessEnd>;
  /** Settles, never rejects, once it is gone. */
  readonly ended: Promise<ProcessEnd>;
}

/**
 * Starts a program in a process group of its own with its stdin and stdout as pipes. Whatever ends it, its
 * whole group is gone afterwards.
 */
export function startSession(spec: SessionSpec): Session {
  const started = performance.now();
  const stderr = openSync(spec.stderrPath, 'a', FILE_MODE);
  const child = spawn(spec.file, spec.args, {
    cwd: spec.cwd,
    env: spec.env,
    stdio: ['pipe', 'pipe', stderr],
    detached: true,
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('a session has pipes');
  const group = child.pid;
  let stopped: ProcessEnd['ended'];
  if (group !== undefined) {
    liveGroups.add(group);
    spec.onProcess?.({ host: HOST, pid: group, start: processStart(group) ?? '' });
  }
  // A grandchild that holds the pipe would keep `child` from settling.
  child.once('exit', () => {
    if (group !== undefined) signalGroup(group, 'SIGKILL');
  });
  // A process that is gone breaks the pipe; `ended` tells of it.
  stdin.on('error', () => {});
  const splitter = new LineSplitter(spec.maxLineBytes);
  stdout.on('data', (bytes: Buffer) => {
    if (stopped === 'output') return;
    try {
      for (const line of splitter.push(bytes)) spec.onLine(line);
    } catch {
      stopped = 'output';
      if (group !== undefined) signalGroup(group, 'SIGKILL');
    }
  });

  const ended = new Promise<ProcessEnd>((resolve) => {
    const settle = (partial: Partial<ProcessEnd>) => {
      closeSync(stderr);
      if (group !== undefined) liveGroups.delete(group);
      resolve({
        exitCode: undefined,
        killedBy: undefined,
        ended: stopped,
        startError: undefined,
        durationMs: performance.now() - started,
        ...partial,
      });
    };
    child.once('error', (error) => {
      if (group !== undefined) return;
      settle({ startError: { code: systemCode(error) ?? 'UNKNOWN', message: error.message } });
    });
    // Not `exit`: what it printed last is then read too.
    child.once('close', (code, signal) => {
      if (group !== undefined) settle({ exitCode: code ?? undefined, killedBy: signal ?? undefined });
    });
  });

  return {
    ended,
    async send(line) {
      if (!stdin.writable || stdin.write(`${line}\n`)) return;
      await Promise.race([once(stdin, 'drain'), ended]);
    },
    async close() {
      stopped ??= 'cancelled';
      stdin.end();
      const kill = setTimeout(() => {
        if (group !== undefined) signalGroup(group, 'SIGKILL');
      }, GRACE_MS);
      const end = await ended;
      clearTimeout(kill);
      return end;
    },
  };
}
