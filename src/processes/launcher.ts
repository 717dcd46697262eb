import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { messageOf, systemCode } from '../errors.ts';
import { LineSplitter, packageRoot } from '../files/index.ts';
import { descendantsOf, killProcesses } from './descendants.ts';
import { endEarlyLauncher, endLauncher, type LauncherChild, takeLauncher } from './launcher-start/index.ts';
import { type Exit, type Program, SpareFiles, type Spawned, signalGroup, spawnProgram } from './spawn.ts';

/** A launch whose program runs or is about to. */
interface Launch {
  pid: number | undefined;
  started(spawned: { pid: number; start: string }): void;
  failed(error: Error): void;
  exited(exit: Exit): void;
}

/** How a launch ends whose launcher was killed, programs and all. */
const KILLED: Exit = { code: null, signal: 'SIGKILL' };

/** One launcher starts 600 programs a second, most of the time waiting for forks; a second one makes it 800. */
const MOST_PROCESSES = 2;
/** The second one is started for those who start many at once: whose launches had to wait so often. */
const OFTEN = 64;

/**
 * Starts programs from small processes of its own. A fork copies the page tables of the process it is made from:
 * 6 ms for a driver of 160 MB, 1 ms for a launcher, and the driver goes on meanwhile.
 */
export class Launcher {
  readonly #processes = [new LauncherProcess()];
  #waited = 0;

  /** As `spawnProgram`. */
  launch(program: Program): Promise<Spawned> {
    let [free] = this.#processes;
    for (const other of this.#processes) if (free === undefined || other.waiting < free.waiting) free = other;
    if (free !== undefined && free.waiting > 1) this.#waited += 1;
    if (free === undefined || (this.#waited > OFTEN && this.#processes.length < MOST_PROCESSES)) {
      free = new LauncherProcess();
      this.#processes.push(free);
    }
    return free.launch(program);
  }

  /** Ends them; programs that still run are killed. Settles when they are gone. */
  async close(): Promise<void> {
    await Promise.all([endEarlyLauncher(), ...this.#processes.map((process) => process.close())]);
  }
}

/** One launcher. When it dies, the programs it had are killed, and the next launch starts another one. */
class LauncherProcess {
  #process: LauncherChild | undefined;
  #stdin: Writable | undefined;
  readonly #launches = new Map<number, Launch>();
  #lastId = 0;
  #waiting = 0;
  #lastEnv: Record<string, string> | undefined;

  /** Launches that it has not begun. */
  get waiting(): number {
    return this.#waiting;
  }

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
      this.#waiting += 1;
      // Launches of one turn go out in one write: to wake the other process costs 0.1 ms.
      if (stdin.writableCorked === 0) {
        stdin.cork();
        process.nextTick(() => stdin.uncork());
      }
      stdin.write(`${JSON.stringify(request)}\n`);
    });
  }

  async close(): Promise<void> {
    if (this.#process !== undefined) await endLauncher(this.#process);
  }

  #running(): Writable {
    if (this.#stdin !== undefined) return this.#stdin;
    const child = takeLauncher(join(packageRoot(), 'dist', 'launcher.js'));
    this.#process = child;
    this.#stdin = child.stdin;
    this.#lastEnv = undefined;
    child.once('close', () => this.#lost(child));
    this.#listen(child.stdout);
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
    if (launch.pid === undefined) this.#waiting -= 1;
    if ('pid' in reply) {
      launch.pid = reply.pid;
      launch.started(reply);
      return;
    }
    this.#launches.delete(reply.id);
    if ('exit' in reply) launch.exited(reply.exit);
    else launch.failed(Object.assign(new Error(reply.error.message), { code: reply.error.code }));
  }

  #lost(child: LauncherChild): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    this.#stdin = undefined;
    for (const { pid, failed, exited } of this.#launches.values()) {
      if (pid !== undefined) signalGroup(pid, 'SIGKILL');
      failed(Object.assign(new Error('the launcher of the programs was killed'), { code: 'EAGAIN' }));
      exited(KILLED);
    }
    this.#launches.clear();
    this.#waiting = 0;
  }
}

/** What a driver asks of its launcher, a line of JSON each. Without `env` that of the launch before is meant. */
interface LaunchRequest {
  id: number;
  program: Omit<Program, 'env'> & { env?: Record<string, string> };
}

/** What the launcher answers: first that a program runs or cannot, then how it ended. */
type LaunchReply =
  | { id: number; pid: number; start: string }
  | { id: number; error: { code: string; message: string } }
  | { id: number; exit: Exit };

/**
 * The body of the launcher: starts the programs that its driver asks for on stdin, and says on stdout what became
 * of them. When the driver is gone, however it went, so are its programs: stdin ends, and every group is killed.
 */
export function serveLauncher(): void {
  const groups = new Set<number>();
  const spares = new SpareFiles();
  const lines = new LineSplitter();
  let lastEnv: Record<string, string> = {};
  let replies = '';
  const flush = () => {
    process.stdout.write(replies);
    replies = '';
  };
  // Replies of one turn go out in one write: to wake the driver costs 0.1 ms.
  const reply = (message: LaunchReply) => {
    if (replies === '') setImmediate(flush);
    replies += `${JSON.stringify(message)}\n`;
  };

  const launch = async ({ id, program }: LaunchRequest) => {
    lastEnv = program.env ?? lastEnv;
    try {
      const { pid, start, exited } = await spawnProgram({ ...program, env: lastEnv }, spares);
      groups.add(pid);
      reply({ id, pid, start });
      const exit = await exited;
      groups.delete(pid);
      reply({ id, exit });
    } catch (error) {
      reply({ id, error: { code: systemCode(error) ?? 'UNKNOWN', message: messageOf(error) } });
    }
  };
  const leave = () => {
    const below = descendantsOf([...groups]);
    for (const pid of groups) signalGroup(pid, 'SIGKILL');
    killProcesses(below);
    spares.remove();
    process.exit(0);
  };
  process.stdin.on('data', (bytes: Buffer) => {
    for (const line of lines.push(bytes)) void launch(JSON.parse(line));
  });
  process.stdin.on('end', leave);
  process.stdout.on('error', leave);
  // A signal to the driver's whole group is the driver's to act on: it still has to hear how its programs end.
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => {});
}
