import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, renameSync, rmSync } from 'node:fs';
import { systemCode } from '../errors.ts';
import { FILE_MODE, processStart, temporaryName } from '../files/index.ts';

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
 * @param spares for one who starts many
 * @throws the system's error when it cannot be started, or a file cannot be opened
 */
export async function spawnProgram(program: Program, spares?: SpareFiles): Promise<Spawned> {
  const files = openFiles(program, spares);
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
function openFiles(
  { stdinPath, stdoutPath, stderrPath }: Program,
  spares: SpareFiles | undefined,
): { stdio: StdioOptions; close(): void } {
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
    if (stderrPath === stdoutPath) return { stdio: [stdin, stdout, stdout], close };
    const stderr = spares?.take(stderrPath) ?? openSync(stderrPath, 'a', FILE_MODE);
    return {
      stdio: [stdin, stdout, stderr],
      close() {
        close();
        if (fstatSync(stderr).size > 0) closeSync(stderr);
        else if (spares !== undefined) spares.put(stderr, stderrPath);
        else {
          closeSync(stderr);
          rmSync(stderrPath, { force: true });
        }
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * Empty files, open for appending, that wait for their next name. Most programs print nothing to stderr, and to
 * make and remove a file for each of thousands costs more than to start it: ext4 searches past every inode that was
 * freed within the last minute.
 */
export class SpareFiles {
  readonly #files: Array<{ fd: number; path: string }> = [];

  /** An empty file under that name, or undefined when there is none to spare. */
  take(path: string): number | undefined {
    const file = this.#files.pop();
    if (file === undefined) return undefined;
    try {
      renameSync(file.path, path);
      return file.fd;
    } catch {
      // It was moved away, or lies on another disk.
      closeSync(file.fd);
      return undefined;
    }
  }

  /** @param path where the file is now */
  put(fd: number, path: string): void {
    const file = { fd, path: temporaryName(path) };
    try {
      renameSync(path, file.path);
      this.#files.push(file);
    } catch {
      closeSync(fd);
    }
  }

  remove(): void {
    for (const { fd, path } of this.#files.splice(0)) {
      closeSync(fd);
      rmSync(path, { force: true });
    }
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
