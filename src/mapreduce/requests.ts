import { type FSWatcher, rmSync, statSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { RUN_FILES, TaskMode, WorkerId } from '../contracts/index.ts';
import { systemCode } from '../errors.ts';
import {
  ensureDirectory,
  JsonlAppender,
  readLines,
  readTextFile,
  writeFileAtomic,
  writeJsonAtomic,
} from '../files/index.ts';
import type { RunHandle } from '../runs/index.ts';

/*
 * `requested.jsonl` is what an orchestrator wants launched, in order. The run's driver follows it and launches each
 * task once, also when it names it twice; `taken.json` records how far it has read. An orchestrator that added
 * a line while the driver was about to end sees by that, and by the driver's lock, that it must start another.
 * What the driver launches under a standing order it adds itself: the file says all that was ever to be launched.
 */

/** A standing order: the driver itself goes on with what becomes ready, under the rules that it names. */
export const StandingOrder = z.object({
  stage: TaskMode,
  max_inflight: z.int().positive(),
  allow_join: z.boolean(),
});
export type StandingOrder = z.infer<typeof StandingOrder>;

const Request = z.union([
  z.object({ worker_id: WorkerId, requested_at: z.iso.datetime() }),
  z.object({ standing_order: StandingOrder, requested_at: z.iso.datetime() }),
  z.object({ max_inflight: z.int().positive(), requested_at: z.iso.datetime() }),
]);
const Taken = z.object({ bytes: z.int().nonnegative() });

/** What an orchestrator wants of the driver. */
export interface Requests {
  workerIds: readonly string[];
  /** The last one counts. */
  order?: StandingOrder | undefined;
  /** Workers at a time, at least: a driver that was started with fewer raises its limit. */
  maxInflight?: number | undefined;
}

/** Replaces what was requested before: for a driver about to be started. Tasks that were never launched stay ready. */
export function writeRequests(run: RunHandle, requests: Requests): void {
  const path = fileOf(run);
  ensureDirectory(dirname(path));
  rmSync(join(run.dir, RUN_FILES.taken), { force: true });
  const lines = linesOf(requests).map((request) => `${JSON.stringify(request)}\n`);
  writeFileAtomic(path, lines.join(''), { sync: true });
}

/**
 * Adds to what a driver follows.
 *
 * @returns the file's size afterwards: taken once the driver has read that far
 */
export function addRequests(run: RunHandle, requests: Requests): number {
  ensureDirectory(dirname(fileOf(run)));
  const file = new JsonlAppender(fileOf(run));
  try {
    for (const request of linesOf(requests)) file.append(request);
  } finally {
    file.close();
  }
  // Not what this process wrote alone: the driver may have added lines of its own before these.
  return requestBytes(run);
}

/** What was requested from a byte offset on, and where the next request will start. */
export async function readRequests(run: RunHandle, from: number): Promise<Requests & { end: number }> {
  const path = fileOf(run);
  const workerIds: string[] = [];
  let order: StandingOrder | undefined;
  let maxInflight: number | undefined;
  let end = from;
  if (requestBytes(run) <= from) return { workerIds, end };
  for await (const line of readLines(path, { start: from })) {
    // A line that is being written is read the next time.
    if (!line.complete) break;
    end = line.end;
    const { data } = Request.safeParse(parsed(line.text));
    if (data === undefined) continue;
    if ('worker_id' in data) workerIds.push(data.worker_id);
    else if ('standing_order' in data) order = data.standing_order;
    else maxInflight = Math.max(maxInflight ?? 0, data.max_inflight);
  }
  return { workerIds, order, maxInflight, end };
}

/** Size of the file of requests; 0 when there is none. */
function requestBytes(run: RunHandle): number {
  return statSync(fileOf(run), { throwIfNoEntry: false })?.size ?? 0;
}

/** Says that everything up to `bytes` has been taken on. By the driver alone. */
function writeTaken(run: RunHandle, bytes: number): void {
  writeJsonAtomic(join(run.dir, RUN_FILES.taken), { bytes });
}

/** How far the driver has read; 0 before it has. */
export function takenBytes(run: RunHandle): number {
  return Taken.safeParse(parsed(readText(join(run.dir, RUN_FILES.taken)))).data?.bytes ?? 0;
}

function fileOf(run: RunHandle): string {
  return join(run.dir, RUN_FILES.requested);
}

function linesOf({ workerIds, order, maxInflight }: Requests): z.infer<typeof Request>[] {
  const requested_at = new Date().toISOString();
  return [
    // The limit first: it holds for what follows.
    ...(maxInflight === undefined ? [] : [{ max_inflight: maxInflight, requested_at }]),
    ...workerIds.map((worker_id) => ({ worker_id, requested_at })),
    ...(order === undefined ? [] : [{ standing_order: order, requested_at }]),
  ];
}

function readText(path: string): string {
  try {
    return readTextFile(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  }
}

/** Undefined for a line that a crash tore. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where no change is notified the file is looked at so often, milliseconds. */
const LOOK_MS = 500;

interface FollowOptions {
  signal: AbortSignal;
  /** Which of the requested tasks are to be launched. */
  wanted(workerIds: readonly string[]): string[];
  /** Which tasks a standing order launches now; asked for when it comes, and each time that a task is done. */
  ready(order: StandingOrder): string[];
  /** So many more came after the first. */
  onMore(count: number): void;
  /** So many workers at a time are wanted. */
  onLimit(maxInflight: number): void;
}

/**
 * The tasks that are requested of a driver, as they come. Requests are read as soon as they are there, also while
 * every slot is taken, so that nobody who adds one waits for a worker to end.
 */
export class RequestFollower {
  readonly #run: RunHandle;
  readonly #options: FollowOptions;
  readonly #queue: string[] = [];
  #offset = 0;
  /** Tasks that were taken and are not done. */
  #open = 0;
  #order: StandingOrder | undefined;
  /** Something happened that the standing order may launch more for. */
  #due = false;
  #reading: Promise<void> = Promise.resolve();
  #fault: { error: unknown } | undefined;
  #started = false;
  #wake: () => void = () => {};

  private constructor(run: RunHandle, options: FollowOptions) {
    this.#run = run;
    this.#options = options;
  }

  /** Reads what was requested so far. */
  static async open(run: RunHandle, options: FollowOptions): Promise<RequestFollower> {
    const follower = new RequestFollower(run, options);
    await follower.#takeAll();
    follower.#started = true;
    return follower;
  }

  /** How many tasks wait to be yielded. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** To be called when a task that was yielded is done. */
  done(): void {
    this.#open -= 1;
    this.#due = this.#order !== undefined;
    this.#look();
    this.#wake();
  }

  /** The ids of the tasks. Ends when nothing more is requested and everything before is done. */
  async *tasks(): AsyncGenerator<string> {
    const { signal } = this.#options;
    const watcher = watchFolder(this.#run, () => this.#look());
    const timer = setInterval(() => this.#look(), LOOK_MS);
    const onAbort = () => this.#wake();
    signal.addEventListener('abort', onAbort);
    try {
      while (!signal.aborted) {
        const id = this.#queue.shift();
        if (id !== undefined) {
          yield id;
          continue;
        }
        // The last look comes after the last task is done: what was added while it ran is not left behind.
        await this.#take();
        if (this.#fault !== undefined) throw this.#fault.error;
        if (this.#queue.length > 0) continue;
        if (this.#open === 0) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          if (signal.aborted || this.#queue.length > 0 || this.#open === 0) resolve();
        });
      }
    } finally {
      clearInterval(timer);
      watcher?.close();
      signal.removeEventListener('abort', onAbort);
    }
  }

  #look(): void {
    void this.#take();
  }

  /** Reads what is new, after any read that is going on. Never rejects: `tasks` reports the fault. */
  #take(): Promise<void> {
    this.#reading = this.#reading
      .then(() => this.#takeAll())
      .catch((error: unknown) => {
        this.#fault ??= { error };
        this.#wake();
      });
    return this.#reading;
  }

  async #takeAll(): Promise<void> {
    await this.#takeNew();
    if (this.#order === undefined || !this.#due) return;
    this.#due = false;
    const ready = this.#options.ready(this.#order);
    if (ready.length === 0) return;
    addRequests(this.#run, { workerIds: ready });
    await this.#takeNew();
  }

  async #takeNew(): Promise<void> {
    const { workerIds, order, maxInflight, end } = await readRequests(this.#run, this.#offset);
    if (end === this.#offset) return;
    this.#offset = end;
    const limit = Math.max(maxInflight ?? 0, order?.max_inflight ?? 0);
    if (limit > 0) this.#options.onLimit(limit);
    if (order !== undefined) {
      this.#order = order;
      this.#due = true;
    }
    const wanted = workerIds.length === 0 ? [] : this.#options.wanted(workerIds);
    this.#open += wanted.length;
    this.#queue.push(...wanted);
    writeTaken(this.#run, this.#offset);
    if (wanted.length === 0) return;
    if (this.#started) this.#options.onMore(wanted.length);
    this.#wake();
  }
}

function watchFolder(run: RunHandle, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(fileOf(run)), { persistent: false }, onChange);
    watcher.on('error', () => {});
    return watcher;
  } catch {
    // No watches left, or none here: the timer serves.
    return undefined;
  }
}
