import { dirname, join } from 'node:path';
import { InflightFile, type LaunchRecord, SCHEMA_VERSION } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { ensureDirectory, isAlive, type ProcessIdentity, writeJsonAtomic } from '../files/index.ts';
import { type RunHandle, readRecord } from '../runs/index.ts';
import { oneLine } from '../text/index.ts';
import { PLAN_FILES } from './layout.ts';

/** The launches of a run so far; none when there is no such file yet. @throws RlmError `corrupt` */
export function readInflight(run: RunHandle): InflightFile {
  const none: InflightFile = { schema_version: SCHEMA_VERSION, run_id: run.id, workers: [] };
  return readRecord(join(run.dir, PLAN_FILES.inflight), InflightFile) ?? none;
}

/** How a launch ended. */
export interface LaunchEnd {
  exit_code: number | null;
  failure_class: LaunchRecord['failure_class'];
  failure_message: string | null;
  report_sha256: string | null;
}

/**
 * Keeps `inflight.json`: the run's driver makes one, and is its only writer. The file is rewritten whole at each
 * change, atomically, so that any other process reads a true state.
 */
export class InflightLog {
  readonly #run: RunHandle;
  readonly #records: Map<string, LaunchRecord>;
  readonly #driver: ProcessIdentity;

  /** @param driver who records the ends of what it launches: `ownIdentity()` of the calling process */
  constructor(run: RunHandle, driver: ProcessIdentity) {
    this.#run = run;
    this.#driver = driver;
    this.#records = new Map(readInflight(run).workers.map((record) => [record.worker_id, record]));
    ensureDirectory(dirname(join(run.dir, PLAN_FILES.inflight)));
  }

  /**
   * To be called right before an attempt starts, and again with its process once that is known.
   *
   * @param log relative to the run directory
   */
  started(workerId: string, attempt: number, log: string, process?: ProcessIdentity): LaunchRecord {
    const known = this.#records.get(workerId);
    const same = known !== undefined && known.attempt === attempt && known.finished_at === null;
    const record: LaunchRecord = {
      worker_id: workerId,
      attempt,
      ...process,
      driver: this.#driver,
      started_at: same ? known.started_at : new Date().toISOString(),
      finished_at: null,
      exit_code: null,
      failure_class: null,
      failure_message: null,
      log,
      report_sha256: null,
    };
    this.#records.set(workerId, record);
    this.#write();
    return record;
  }

  /** The launch is over, for good or ill. */
  ended(workerId: string, end: LaunchEnd): void {
    const record = this.#records.get(workerId);
    if (record === undefined)
      throw new RlmError('internal', `worker '${workerId}' ended and was never started`);
    this.#records.set(workerId, {
      ...record,
      ...end,
      failure_message: end.failure_message === null ? null : oneLine(end.failure_message, 500),
      finished_at: new Date().toISOString(),
    });
    this.#write();
  }

  #write(): void {
    const file: InflightFile = {
      schema_version: SCHEMA_VERSION,
      run_id: this.#run.id,
      workers: [...this.#records.values()],
    };
    writeJsonAtomic(join(this.#run.dir, PLAN_FILES.inflight), file);
  }
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
