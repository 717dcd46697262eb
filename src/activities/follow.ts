import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JournalEvent } from '../contracts/index.ts';
import { RUN_FILES } from '../contracts/index.ts';
import { readEvents } from '../dispatch/index.ts';
import { isAlive } from '../files/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { isOver, type RunStatus, readStatus, requireActivity } from './status.ts';

/** Where no change is notified (network file systems, a killed driver), we look at least so often. */
const LOOK_MS = 1000;
/** A busy run changes thousands of times a second; its followers look at most twenty times. */
const REST_MS = 50;

/**
 * Tells of changes of a run's journal and activity, without polling where the platform can notify. After a change
 * it listens no more until the next look is due: a busy driver would wake its followers thousands of times a second.
 */
class ChangeSignal {
  readonly #directory: string;
  readonly #lockWatcher: FSWatcher | undefined;
  #watcher: FSWatcher | undefined;
  #notify: () => void = () => {};
  #changed = false;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(run: RunHandle) {
    this.#directory = run.dir;
    this.#listen();
    // The lock goes last, when the driver is done: that is worth a look at once.
    this.#lockWatcher = watchQuietly(join(run.dir, RUN_FILES.driverLock), () => {
      this.#lookedAt = Number.NEGATIVE_INFINITY;
      this.#changed = true;
      this.#notify();
    });
  }

  /** Resolves at the next change since the last look, after `ms` at the latest, or on abort. */
  next(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#notify = () => {};
        this.#lookedAt = performance.now();
        // Before the look: what changes during it wakes the next call.
        this.#listen();
        resolve();
      };
      const soon = () => {
        clearTimeout(timer);
        const rest = Math.max(0, this.#lookedAt + REST_MS - performance.now());
        timer = setTimeout(done, Math.min(ms, rest));
      };
      let timer = setTimeout(done, Math.min(ms, LOOK_MS));
      signal.addEventListener('abort', done, { once: true });
      this.#notify = soon;
      if (signal.aborted) done();
      else if (this.#changed) soon();
    });
  }

  close(): void {
    this.#lockWatcher?.close();
    this.#deafen();
  }

  #listen(): void {
    this.#changed = false;
    this.#watcher ??= watchQuietly(this.#directory, (name) => {
      if (name !== null && !WATCHED.has(basename(name))) return;
      this.#deafen();
      this.#changed = true;
      this.#notify();
    });
  }

  #deafen(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}

const WATCHED: ReadonlySet<string> = new Set([RUN_FILES.events, RUN_FILES.activity, RUN_FILES.driverLock]);

/** Undefined where there are no watches, or none left: the look every second serves. */
function watchQuietly(path: string, onChange: (name: string | null) => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, { persistent: false }, (_, name) => onChange(name));
    watcher.on('error', () => {});
    return watcher;
  } catch {
    return undefined;
  }
}

/** What a driver takes to leave once its lock is gone, milliseconds, at most; mostly it is five. */
const LEAVE_MS = 1000;

/** The lock of a driver goes a moment before its process. */
async function driverGone(run: RunHandle): Promise<void> {
  const { driver } = requireActivity(run);
  const deadline = performance.now() + LEAVE_MS;
  while (driver !== undefined && isAlive(driver) === true && performance.now() < deadline) await sleep(2);
}

/**
 * Waits until something changed or all is over: then no process of the run is left either.
 *
 * @param options.until `change`: any event of the journal counts; `end`: only the end of the activity does
 * @param options.timeoutMs returns what is then, when nothing happened by then
 * @param options.onProgress hears of the status once a second. It is called between two looks and never from a timer
 *   of its own: what goes wrong in it, or in reading the run, is an error of this wait and of nothing else.
 */
export async function waitForChange(
  run: RunHandle,
  options: {
    timeoutMs: number;
    signal: AbortSignal;
    until: 'change' | 'end';
    onProgress?: (status: RunStatus) => void;
  },
): Promise<RunStatus> {
  const changes = new ChangeSignal(run);
  try {
    const deadline = performance.now() + options.timeoutMs;
    const before = journalSize(run);
    let reportedAt = performance.now();
    for (;;) {
      const left = deadline - performance.now();
      if (isOver(run)) {
        await driverGone(run);
        return readStatus(run);
      }
      if (left <= 0 || options.signal.aborted) return readStatus(run);
      if (options.until === 'change' && journalSize(run) !== before) return readStatus(run);
      if (options.onProgress !== undefined && performance.now() - reportedAt >= LOOK_MS) {
        reportedAt = performance.now();
        options.onProgress(readStatus(run));
      }
      await changes.next(left, options.signal);
    }
  } finally {
    changes.close();
  }
}

/**
 * Events from a byte offset on, as they come, until the activity is over and no process of the run is left.
 *
 * @param options.only types to follow; a busy run writes four events a job, and most followers need few of them
 */
export async function* followEvents(
  run: RunHandle,
  options: { from: number; signal: AbortSignal; only?: ReadonlySet<JournalEvent['type']> },
): AsyncGenerator<{ offset: number; event: JournalEvent }> {
  const changes = new ChangeSignal(run);
  const path = join(run.dir, RUN_FILES.events);
  let from = options.from;
  try {
    for (;;) {
      // Asked before the events are read: what was written before the end is then read before we stop.
      const over = isOver(run);
      const size = journalSize(run);
      if (size > from) {
        for await (const events of readEvents(path, from, options.only)) {
          for (const { end, event } of events) {
            from = end;
            yield { offset: end, event };
          }
        }
      }
      if (over) return await driverGone(run);
      if (options.signal.aborted) return;
      await changes.next(LOOK_MS, options.signal);
    }
  } finally {
    changes.close();
  }
}

function journalSize(run: RunHandle): number {
  return statSync(join(run.dir, RUN_FILES.events), { throwIfNoEntry: false })?.size ?? 0;
}
