import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, rmSync } from 'node:fs';
import { systemCode } from '../errors.ts';
import { FILE_MODE, processStart } from '../files/index.ts';

/** A program to run in a process group of its own, with files for its streams. */
export interface Program {
  /** argv[0] and the rest; never a shell string. */
  file: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  /** A file whose bytes become stdin; stdin is /dev/null without it. */
  stdinPath?: string | undefined;
  /** Both streams go straight to files: nobody holds what a worker prints. An empty stderr file is removed. */
  stdoutPath: string;
  stderrPath: string;
}

/** How a process ended by itself: one of the two is set. */
export interface Exit {
  code: number | null;
  signal: string | null;
}

/** A program that runs. */
export interface Spawned {
  pid: number;
  /** See `processStart`; empty when the platform does not tell. */
  start: string;
  /** Settles, never rejects, when the process is gone and its group was killed. */
  exited: Promise<Exit>;
}

/**
 * Starts a program and, once it has ended, kills what is left of its group, so that no grandchild survives it.
 *
 * @throws the system's error when it cannot be started, or a file cannot be opened
 */
export async function spawnProgram(program: Program): Promise<Spawned> {
  const files = openFiles(program);
  let child: ChildProcess;
  try {
    child = spawn(program.file, program.args, {
      cwd: program.cwd,
      env: program.env,
      stdio: files.stdio,
      detached: true,
    });
    if (child.pid === undefined) throw (await once(child, 'error'))[0];
  } catch (error) {
    files.close();
    throw error;
  }
  const { pid } = child;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      signalGroup(pid, 'SIGKILL');
      files.close();
      resolve({ code, signal });
    });
  });
  return { pid, start: processStart(pid) ?? '', exited };
}

/** The three streams of a program as descriptors; closing them removes the stderr file when nothing is in it. */
function openFiles({ stdinPath, stdoutPath, stderrPath }: Program) {
  const descriptors: number[] = [];
  const openFor = (path: string, flags: string): number => {
    const fd = openSync(path, flags, FILE_MODE);
    descriptors.push(fd);
    return fd;
  };
  const close = () => {
    for (const fd of descriptors) closeSync(fd);
  };
  try {
    const stdin = stdinPath === undefined ? 'ignore' : openFor(stdinPath, 'r');
    const stdout = openFor(stdoutPath, 'a');
    if (stderrPath === stdoutPath) return { stdio: [stdin, stdout, stdout] satisfies StdioOptions, close };
    const stderr = openFor(stderrPath, 'a');
    return {
      stdio: [stdin, stdout, stderr] satisfies StdioOptions,
      close: () => {
        if (fstatSync(stderr).size === 0) rmSync(stderrPath, { force: true });
        close();
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Signals a process group; one that is gone already is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (systemCode(error) !== 'ESRCH' && systemCode(error) !== 'EPERM') throw error;
  }
}
