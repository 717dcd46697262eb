import { existsSync, type FSWatcher, statSync, watch } from 'node:fs';
import { basename, join } from 'node:path';
import type { JournalEvent } from '../contracts/index.ts';
import { readEvents } from '../dispatch/index.ts';
import { RUN_FILES, type RunHandle } from '../runs/index.ts';
import { type RunStatus, readStatus } from './status.ts';

/** Where no change is notified (network file systems, a killed driver), we look at least so often. */
const LOOK_MS = 1000;

/** Tells of changes of a run's journal and activity, without polling where the platform can notify. */
class ChangeSignal {
  readonly #watcher: FSWatcher | undefined;
  #notify: () => void = () => {};

  constructor(run: RunHandle) {
    const names: ReadonlySet<string> = new Set([RUN_FILES.events, RUN_FILES.activity]);
    try {
      this.#watcher = watch(run.dir, { persistent: false }, (_, name) => {
        if (name === null || names.has(basename(name))) this.#notify();
      });
      this.#watcher.on('error', () => {});
    } catch {
      // No watches left, or none here: the look every second serves.
    }
  }

  /** Resolves at the next change, after `ms` at the latest, or on abort. */
  next(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#notify = () => {};
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, LOOK_MS));
      signal.addEventListener('abort', done, { once: true });
      this.#notify = done;
      if (signal.aborted) done();
    });
  }

  close(): void {
    this.#watcher?.close();
  }
}

/** Whether nothing more will come of a run unless somebody resumes it. */
export function isOver(status: RunStatus): boolean {
  return status.state !== 'working' && status.driver_alive !== true;
}

/**
 * Waits until something changed or all is over.
 *
 * @param options.until `change`: any event of the journal counts; `end`: only the end of the activity does
 * @param options.timeoutMs returns what is then, when nothing happened by then
 */
export async function waitForChange(
  run: RunHandle,
  options: { timeoutMs: number; signal: AbortSignal; until: 'change' | 'end' },
): Promise<RunStatus> {
  const changes = new ChangeSignal(run);
  try {
    const deadline = performance.now() + options.timeoutMs;
    const first = readStatus(run);
    for (let status = first; ; status = readStatus(run)) {
      const left = deadline - performance.now();
      if (isOver(status) || left <= 0 || options.signal.aborted) return status;
      if (options.until === 'change' && status.journal_size !== first.journal_size) return status;
      await changes.next(left, options.signal);
    }
  } finally {
    changes.close();
  }
}

/** Events from a byte offset on, as they come, until the activity is over. */
export async function* followEvents(
  run: RunHandle,
  options: { from: number; signal: AbortSignal },
): AsyncGenerator<{ offset: number; event: JournalEvent }> {
  const changes = new ChangeSignal(run);
  const path = join(run.dir, RUN_FILES.events);
  let from = options.from;
  try {
    for (;;) {
      // Asked before the events are read: what was written before the end is then read before we stop.
      const over = isOver(readStatus(run));
      if (existsSync(path) && statSync(path).size > from) {
        for await (const events of readEvents(path, from)) {
          for (const { end, event } of events) {
            from = end;
            yield { offset: end, event };
          }
        }
      }
      if (over || options.signal.aborted) return;
      await changes.next(LOOK_MS, options.signal);
    }
  } finally {
    changes.close();
  }
}
