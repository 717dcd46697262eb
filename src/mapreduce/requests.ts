import { type FSWatcher, readFileSync, rmSync, statSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { RUN_FILES, TaskMode, WorkerId } from '../contracts/index.ts';
import type { Assignment } from '../dispatch/index.ts';
import { systemCode } from '../errors.ts';
import {
  ensureDirectory,
  JsonlAppender,
  readLines,
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
]);
const Taken = z.object({ bytes: z.int().nonnegative() });

/** Replaces what was requested before: for a driver about to be started. Tasks that were never launched stay ready. */
export function writeRequests(run: RunHandle, workerIds: readonly string[], order?: StandingOrder): void {
  const path = fileOf(run);
  ensureDirectory(dirname(path));
  rmSync(join(run.dir, RUN_FILES.taken), { force: true });
  const lines = requestsOf(workerIds, order).map((request) => `${JSON.stringify(request)}\n`);
  writeFileAtomic(path, lines.join(''), { sync: true });
}

/**
 * Adds to what a running driver follows.
 *
 * @returns the file's size afterwards: taken once the driver has read that far
 */
export function addRequests(run: RunHandle, workerIds: readonly string[], order?: StandingOrder): number {
  const file = new JsonlAppender(fileOf(run));
  try {
    for (const request of requestsOf(workerIds, order)) file.append(request);
  } finally {
    file.close();
  }
  // Not what this process wrote alone: the driver may have added lines of its own before these.
  return requestBytes(run);
}

/** What was requested from a byte offset on, the last standing order among it, and where the next request will start. */
export async function readRequests(
  run: RunHandle,
  from: number,
): Promise<{ workerIds: string[]; order?: StandingOrder; end: number }> {
  const path = fileOf(run);
  const workerIds: string[] = [];
  let order: StandingOrder | undefined;
  let end = from;
  if (requestBytes(run) <= from) return { workerIds, end };
  for await (const line of readLines(path, { start: from })) {
    // A line that is being written is read at the next look.
    if (!line.complete) break;
    end = line.end;
    const { data } = Request.safeParse(parsed(line.text));
    if (data === undefined) continue;
    if ('worker_id' in data) workerIds.push(data.worker_id);
    else order = data.standing_order;
  }
  return { workerIds, end, ...(order === undefined ? {} : { order }) };
}

/** Size of the file of requests; 0 when there is none. */
export function requestBytes(run: RunHandle): number {
  return statSync(fileOf(run), { throwIfNoEntry: false })?.size ?? 0;
}

/** Says that everything up to `bytes` has been taken on. By the driver alone. */
export function writeTaken(run: RunHandle, bytes: number): void {
  writeJsonAtomic(join(run.dir, RUN_FILES.taken), { bytes });
}

/** How far the driver has read; 0 before it has. */
export function takenBytes(run: RunHandle): number {
  return Taken.safeParse(parsed(readText(join(run.dir, RUN_FILES.taken)))).data?.bytes ?? 0;
}

function fileOf(run: RunHandle): string {
  return join(run.dir, RUN_FILES.requested);
}

function requestsOf(
  workerIds: readonly string[],
  order: StandingOrder | undefined,
): z.infer<typeof Request>[] {
  const requested_at = new Date().toISOString();
  return [
    ...workerIds.map((worker_id) => ({ worker_id, requested_at })),
    ...(order === undefined ? [] : [{ standing_order: order, requested_at }]),
  ];
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
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

/** Where no change is notified we look at least so often, milliseconds. */
const LOOK_MS = 500;

export interface FollowOptions {
  signal: AbortSignal;
  /** Which of the requested tasks are to be launched. */
  wanted(workerIds: readonly string[]): string[];
  /** Which tasks a standing order launches now; asked for when it comes, and each time that a task is done. */
  ready(order: StandingOrder): string[];
  /** So many more came after the first. */
  onMore(count: number): void;
}

/** The tasks that are requested, as they come. */
export interface RequestSource {
  /** How many there were at first. */
  first: number;
  /** Ends when nothing more is requested and everything before is done. */
  follow(make: (workerId: string, done: () => void) => Assignment): AsyncGenerator<Assignment>;
}

/** Takes on what is requested in a run, and goes on as long as anything of it is under way. */
export async function followRequests(run: RunHandle, options: FollowOptions): Promise<RequestSource> {
  let offset = 0;
  let looked = 0;
  let underWay = 0;
  let standing: StandingOrder | undefined;
  /** Something happened that a standing order may launch more for. */
  let due = false;
  let wake = () => {};
  const read = async (): Promise<string[]> => {
    looked = requestBytes(run);
    const { workerIds, order, end } = await readRequests(run, offset);
    offset = end;
    if (order !== undefined) {
      standing = order;
      due = true;
    }
    const wanted = workerIds.length === 0 ? [] : options.wanted(workerIds);
    underWay += wanted.length;
    writeTaken(run, offset);
    return wanted;
  };
  const take = async (): Promise<string[]> => {
    const requested = await read();
    if (standing === undefined || !due) return requested;
    due = false;
    const ready = options.ready(standing);
    if (ready.length === 0) return requested;
    addRequests(run, ready);
    return [...requested, ...(await read())];
  };
  const first = await take();
  const done = () => {
    underWay -= 1;
    due = standing !== undefined;
    wake();
  };

  async function* follow(make: (workerId: string, done: () => void) => Assignment) {
    const watcher = watchFolder(run, () => wake());
    const onAbort = () => wake();
    options.signal.addEventListener('abort', onAbort);
    try {
      for (let batch = first; ; batch = await take()) {
        if (batch !== first && batch.length > 0) options.onMore(batch.length);
        for (const id of batch) yield make(id, done);
        const idle = () => !due && requestBytes(run) === looked;
        while (underWay > 0 && idle() && !options.signal.aborted) {
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, LOOK_MS);
            wake = () => {
              clearTimeout(timer);
              resolve();
            };
          });
        }
        // The last look comes after the last task is done: what was added while it ran is not left behind.
        if (options.signal.aborted || (underWay === 0 && idle())) return;
      }
    } finally {
      watcher?.close();
      options.signal.removeEventListener('abort', onAbort);
    }
  }
  return { first: first.length, follow };
}

function watchFolder(run: RunHandle, onChange: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(join(run.dir, RUN_FILES.requested)), { persistent: false }, onChange);
    watcher.on('error', () => {});
    return watcher;
  } catch {
    // No watches left, or none here: the timer serves.
    return undefined;
  }
}
