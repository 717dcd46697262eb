import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { LineSplitter, packageRoot } from '../files/index.ts';
import type { LaunchReply, LaunchRequest } from './launcher-process.ts';
import { type Exit, type Program, type Spawned, signalGroup } from './spawn.ts';

/** A launch whose program runs or is about to. */
interface Launch {
  pid: number | undefined;
  started(spawned: { pid: number; start: string }): void;
  failed(error: Error): void;
  exited(exit: Exit): void;
}

/** How a launch ends whose launcher was killed, programs and all. */
const KILLED: Exit = { code: null, signal: 'SIGKILL' };

/**
 * Starts programs from a small process of its own. A fork copies the page tables of the process it is made from:
 * 6 ms for a driver of 160 MB, 1 ms for the launcher, and the driver goes on meanwhile. When the launcher
 * dies, the programs it had are killed, and the next launch starts another one.
 */
export class Launcher {
  #process: ChildProcess | undefined;
  #stdin: Writable | undefined;
  readonly #launches = new Map<number, Launch>();
  #lastId = 0;
  #lastEnv: Record<string, string> | undefined;

  /** As `spawnProgram`. */
  launch(program: Program): Promise<Spawned> {
    const stdin = this.#running();
    this.#lastId += 1;
    const id = this.#lastId;
    // Two or three kilobytes that are mostly the same object from launch to launch.
    const { env, ...rest } = program;
    const request: LaunchRequest = { id, program: env === this.#lastEnv ? rest : program };
    this.#lastEnv = env;
    return new Promise((resolve, reject) => {
      let exited: (exit: Exit) => void = () => {};
      const end = new Promise<Exit>((settle) => {
        exited = settle;
      });
      const launch: Launch = {
        pid: undefined,
        started: (spawned) => resolve({ ...spawned, exited: end }),
        failed: reject,
        exited,
      };
      this.#launches.set(id, launch);
      stdin.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** Ends it; programs that still run are killed. */
  close(): void {
    this.#stdin?.end();
  }

  #running(): Writable {
    if (this.#stdin !== undefined) return this.#stdin;
    // It is the spawner's own part, so it is not started by itself.
    const child = spawn(process.execPath, [...LITTLE_MEMORY, launcherProgram()], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#process = child;
    this.#stdin = child.stdin;
    this.#lastEnv = undefined;
    // A launcher that is gone breaks the pipe; its `close` tells of it.
    child.stdin.on('error', () => {});
    child.on('error', () => {});
    child.once('close', () => this.#lost(child));
    this.#listen(child.stdout);
    // An idle launcher keeps nobody alive; a launch under way is awaited by who asked for it.
    return child.stdin;
  }

  #listen(stdout: Readable): void {
    const lines = new LineSplitter();
    stdout.on('data', (bytes: Buffer) => {
      for (const line of lines.push(bytes)) this.#take(JSON.parse(line));
    });
  }

  #take(reply: LaunchReply): void {
    const launch = this.#launches.get(reply.id);
    if (launch === undefined) return;
    if ('pid' in reply) {
      launch.pid = reply.pid;
      launch.started(reply);
      return;
    }
    this.#launches.delete(reply.id);
    if ('exit' in reply) launch.exited(reply.exit);
    else launch.failed(Object.assign(new Error(reply.error.message), { code: reply.error.code }));
  }

  #lost(child: ChildProcess): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    this.#stdin = undefined;
    for (const { pid, failed, exited } of this.#launches.values()) {
      if (pid !== undefined) signalGroup(pid, 'SIGKILL');
      failed(Object.assign(new Error('the launcher of the programs was killed'), { code: 'EAGAIN' }));
      exited(KILLED);
    }
    this.#launches.clear();
  }
}

/** It makes little garbage, and what it holds is copied at every fork. */
const LITTLE_MEMORY = ['--max-semi-space-size=1'];

function launcherProgram(): string {
  return join(packageRoot(), 'dist', 'launcher.js');
}
