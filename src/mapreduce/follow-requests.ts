import { type FSWatcher, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Assignment } from '../dispatch/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { PLAN_FILES } from './layout.ts';
import { addRequests, readRequests, requestBytes, type StandingOrder, writeTaken } from './requests.ts';

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
    const watcher = watch(dirname(join(run.dir, PLAN_FILES.requested)), { persistent: false }, onChange);
    watcher.on('error', () => {});
    return watcher;
  } catch {
    // No watches left, or none here: the timer serves.
    return undefined;
  }
}
