import { dirname, join } from 'node:path';
import {
  InflightFile,
  type JournalEvent,
  type LaunchRecord,
  RUN_FILES,
  SCHEMA_VERSION,
} from '../contracts/index.ts';
import { attemptLog, type Journal, readEvents } from '../dispatch/index.ts';
import { ensureDirectory, isAlive, type ProcessIdentity, writeJsonAtomic } from '../files/index.ts';
import { type RunHandle, readRecord } from '../runs/index.ts';
import { oneLine } from '../text/index.ts';

/** The launches of a run so far; none when there is no such file yet. @throws RlmError `corrupt` */
export function readLaunches(run: RunHandle): LaunchRecord[] {
  return readRecord(join(run.dir, RUN_FILES.inflight), InflightFile)?.workers ?? [];
}

/**
 * Whether a launch still runs. Its driver decides while that lives (an attempt that just died may be tried
 * again); once the driver is gone, the worker's own process does. A process on another host counts as running.
 */
export function isRunning(record: LaunchRecord): boolean {
  if (record.finished_at !== null) return false;
  if (record.driver !== undefined && isAlive(record.driver) !== false) return true;
  const { host, pid, start } = record;
  if (host === undefined || pid === undefined) return false;
  return isAlive({ host, pid, start: start ?? '' }) !== false;
}

/**
 * The last launch of every task as the journal tells it, and `inflight.json`, which shows that to any other process.
 * The run's driver makes one. The file is rewritten whole, atomically, after each event that changes it: so what a
 * worker does is on record before the worker is.
 */
export class Launches {
  readonly #run: RunHandle;
  readonly #records = new Map<string, LaunchRecord>();
  /** Tasks that have a result: nothing more happens under their id. */
  readonly #settled = new Set<string>();
  #driver: ProcessIdentity | undefined;

  private constructor(run: RunHandle) {
    this.#run = run;
  }

  /**
   * Makes `inflight.json` say what the journal does: a driver may have been killed between the two. For a run that
   * nobody drives.
   */
  static async rebuild(run: RunHandle): Promise<Launches> {
    const launches = new Launches(run);
    for await (const events of readEvents(join(run.dir, RUN_FILES.events)))
      for (const { event } of events) launches.#add(event);
    ensureDirectory(dirname(join(run.dir, RUN_FILES.inflight)));
    launches.#write();
    return launches;
  }

  /** Reads what a run's journal says, and follows what is added to it. */
  static async follow(run: RunHandle, journal: Journal): Promise<Launches> {
    const launches = await Launches.rebuild(run);
    journal.follow((event) => {
      if (launches.#add(event)) launches.#write();
    });
    return launches;
  }

  /** The last launch of every task that was launched. */
  get records(): LaunchRecord[] {
    return [...this.#records.values()];
  }

  /** How many tasks have a result. */
  get results(): { accepted: number; failed: number } {
    const settled = this.records.filter((record) => this.#settled.has(record.worker_id));
    const failed = settled.filter((record) => record.failure_class !== null).length;
    return { accepted: settled.length - failed, failed };
  }

  /** Whether the journal has a result of a task. */
  hasResult(workerId: string): boolean {
    return this.#settled.has(workerId);
  }

  /** @returns whether the file says something else now */
  #add(event: JournalEvent): boolean {
    switch (event.type) {
      case 'driver_started':
        this.#driver = event.driver;
        return false;
      case 'attempt_started':
        return this.#set(event.id, {
          worker_id: event.id,
          attempt: event.attempt,
          worker: event.worker,
          ...(this.#driver === undefined ? {} : { driver: this.#driver }),
          started_at: event.ts,
          finished_at: null,
          exit_code: null,
          failure_class: null,
          failure_message: null,
          log: attemptLog(event.id, event.attempt),
          report_sha256: null,
        });
      case 'process':
        return this.#change(event.id, event.process);
      case 'attempt_ended': {
        const ended = { exit_code: event.exit_code ?? null, ...failureOf(event.failure) };
        // A launch that is tried again is not over, and of an accepted one the result says the rest.
        const over = event.failure !== undefined && event.next !== 'retry';
        const changed = this.#change(event.id, over ? { ...ended, finished_at: event.ts } : ended);
        return changed && event.failure !== undefined;
      }
      case 'result': {
        const { id, status, failure_class, errors, output_sha256 } = event.result;
        this.#settled.add(id);
        if (status === 'accepted') {
          const accepted = { failure_class: null, failure_message: null };
          return this.#change(id, {
            ...accepted,
            finished_at: event.ts,
            report_sha256: output_sha256 ?? null,
          });
        }
        const message = this.#records.get(id)?.failure_message ?? oneLine(errors.at(-1) ?? '', MAX_MESSAGE);
        return this.#change(id, { finished_at: event.ts, failure_class, failure_message: message });
      }
      case 'finished': {
        // What was to be tried again when the driver stopped is over.
        const open = this.records.filter((record) => record.finished_at === null);
        for (const { worker_id } of open) this.#change(worker_id, { finished_at: event.ts });
        return open.length > 0;
      }
      default:
        return false;
    }
  }

  #change(workerId: string, change: Partial<LaunchRecord>): boolean {
    const record = this.#records.get(workerId);
    return record !== undefined && this.#set(workerId, { ...record, ...change });
  }

  #set(workerId: string, record: LaunchRecord): boolean {
    this.#records.set(workerId, record);
    return true;
  }

  #write(): void {
    const file: InflightFile = {
      schema_version: SCHEMA_VERSION,
      run_id: this.#run.id,
      workers: this.records,
    };
    writeJsonAtomic(join(this.#run.dir, RUN_FILES.inflight), file);
  }
}

/** Failure messages quote what workers print. */
const MAX_MESSAGE = 500;

function failureOf(
  failure: { class: LaunchRecord['failure_class']; message: string } | undefined,
): Pick<LaunchRecord, 'failure_class' | 'failure_message'> {
  if (failure === undefined) return { failure_class: null, failure_message: null };
  return { failure_class: failure.class, failure_message: oneLine(failure.message, MAX_MESSAGE) };
}
