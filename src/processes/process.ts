import { readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, systemCode } from '../errors.ts';
import { isAlive, type ProcessIdentity } from '../files/index.ts';
import { descendantsOf, killProcesses, signalProcess } from './descendants.ts';
import { RUN_VARIABLE } from './environment.ts';
import type { Launcher } from './launcher.ts';
import { type Program, type Spawned, signalGroup, spawnProgram } from './spawn.ts';

export const HOST = hostname();

/** Between SIGTERM and SIGKILL to a process group, milliseconds. */
export const GRACE_MS = 500;
/** A worker that prints more than this is ended: nothing it says can be worth the disk. */
const MAX_OUTPUT_BYTES = 512 * 1024 * 1024;

export interface ProcessSpec extends Program {
  timeoutMs: number;
  /** Ends the process when neither stream grew for so long. */
  idleTimeoutMs: number;
  signal: AbortSignal;
  onProcess?: ((process: ProcessIdentity) => void) | undefined;
}

/** How a process ended. Exactly one of `exitCode` and `killedBy` is set once it ran. */
export interface ProcessEnd {
  exitCode: number | undefined;
  /** A signal it died of without our doing. */
  killedBy: string | undefined;
  /** Why we ended it. */
  ended: 'timeout' | 'idle' | 'output' | 'cancelled' | undefined;
  /** It could not be started. */
  startError: { code: string; message: string } | undefined;
  durationMs: number;
}

/** Process groups that run now. */
export const liveGroups = new Set<number>();

/** Signals every process group that is still ours; for the driver's own end. */
export function killAllGroups(signal: NodeJS.Signals): void {
  for (const pid of liveGroups) signalGroup(pid, signal);
}

let launch: (program: Program) => Promise<Spawned> = spawnProgram;

/** From now on `runProcess` starts programs through a launcher, for a process that starts many. */
export function launchThrough(launcher: Launcher): void {
  launch = (program) => launcher.launch(program);
}

/**
 * Runs one program in a process group of its own and ends the whole group: at the wall limit, at the idle
 * limit, on abort, and after a normal end too, so that no grandchild survives it.
 */
export async function runProcess(spec: ProcessSpec): Promise<ProcessEnd> {
  const { signal, timeoutMs, idleTimeoutMs, onProcess, ...program } = spec;
  const started = performance.now();
  const end = (partial: Partial<ProcessEnd>): ProcessEnd => ({
    exitCode: undefined,
    killedBy: undefined,
    ended: undefined,
    startError: undefined,
    durationMs: performance.now() - started,
    ...partial,
  });
  if (signal.aborted) return end({ ended: 'cancelled' });
  let spawned: Spawned;
  try {
    spawned = await launch(program);
  } catch (error) {
    return end({ startError: { code: systemCode(error) ?? 'UNKNOWN', message: messageOf(error) } });
  }

  const { pid, start, exited } = spawned;
  liveGroups.add(pid);
  onProcess?.({ host: HOST, pid, start });
  let ended: ProcessEnd['ended'];
  let kill: NodeJS.Timeout | undefined;
  let below: ProcessIdentity[] = [];
  const stop = (why: NonNullable<ProcessEnd['ended']>) => {
    if (ended !== undefined) return;
    ended = why;
    // Looked for while their parents live: afterwards nothing tells whose they were.
    below = descendantsOf([pid]);
    signalGroup(pid, 'SIGTERM');
    kill = setTimeout(() => {
      below.push(...descendantsOf([pid]));
      signalGroup(pid, 'SIGKILL');
    }, GRACE_MS);
  };
  const onAbort = () => stop('cancelled');
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const watch = watchLimits(spec, stop);
  const { code, signal: killedBy } = await exited;
  killProcesses(below);
  liveGroups.delete(pid);
  clearInterval(watch);
  clearTimeout(kill);
  signal.removeEventListener('abort', onAbort);
  return end({ exitCode: code ?? undefined, killedBy: killedBy ?? undefined, ended });
}

/** 0 for a file that cannot be looked at: a worker may have made it so, and a timer must not end the driver. */
function sizeOf(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return 0;
  }
}

/** One timer for all limits: the wall, the silence (neither stream grew) and the size of what was printed. */
function watchLimits(
  spec: ProcessSpec,
  stop: (why: NonNullable<ProcessEnd['ended']>) => void,
): NodeJS.Timeout {
  const streams = new Set([spec.stdoutPath, spec.stderrPath]);
  const started = performance.now();
  const interval = Math.max(20, Math.min(1000, spec.timeoutMs / 4, spec.idleTimeoutMs / 4));
  let printed = -1;
  let lastGrowth = started;
  return setInterval(() => {
    const now = performance.now();
    if (now - started >= spec.timeoutMs) return stop('timeout');
    let size = 0;
    for (const path of streams) size += sizeOf(path);
    if (size > MAX_OUTPUT_BYTES) return stop('output');
    if (size !== printed) {
      printed = size;
      lastGrowth = now;
    } else if (now - lastGrowth >= spec.idleTimeoutMs) stop('idle');
  }, interval);
}

/** The processes of one worker, so that closing the worker ends them. */
export class OwnedProcesses {
  readonly #groups = new Set<number>();
  readonly #running = new Set<Promise<ProcessEnd>>();
  #closed = false;

  /** As `runProcess`; after `close` nothing is started any more and every call ends as `cancelled`. */
  async run(spec: ProcessSpec): Promise<ProcessEnd> {
    let group: number | undefined;
    const running = runProcess({
      ...spec,
      signal: this.#closed ? AbortSignal.abort() : spec.signal,
      onProcess: (process) => {
        group = process.pid;
        this.#groups.add(group);
        spec.onProcess?.(process);
      },
    });
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
      if (group !== undefined) this.#groups.delete(group);
    }
  }

  /** Kills what still runs and waits until it is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const group of this.#groups) signalGroup(group, 'SIGKILL');
    await Promise.allSettled(this.#running);
  }
}

const POLL_MS = 20;

/**
 * Ends every worker process of a run that is still there, after a crash of its driver or a cancel: those the
 * journal knows, and on Linux also those that carry the run's mark in their environment, which finds a worker
 * that was started an instant before the crash, and grandchildren that left their group; and what is below any of them.
 *
 * @returns the pids that were ended
 */
export async function endSurvivors(runDir: string, known: ProcessIdentity[]): Promise<number[]> {
  const ended = new Set<number>();
  const below = new Map<number, ProcessIdentity>();
  const deadline = performance.now() + GRACE_MS;
  for (;;) {
    const alive = [...known, ...below.values()].filter((process) => isAlive(process) === true);
    const left = new Set([...alive.map(({ pid }) => pid), ...marked(runDir)]);
    if (left.size === 0) return [...ended];
    for (const identity of descendantsOf([...left])) {
      below.set(identity.pid, identity);
      left.add(identity.pid);
    }
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
