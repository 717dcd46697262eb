import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadConfig } from '../config/index.ts';
import { type ActivityRecord, type Failure, outcomeOf, RUN_FILES, RunKind } from '../contracts/index.ts';
import { type FlowEnd, type History, Journal, readHistory } from '../dispatch/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import {
  ensureDirectory,
  FILE_MODE,
  type HeldLock,
  ownIdentity,
  removeAbandoned,
  resolveInside,
} from '../files/index.ts';
import {
  currentDepth,
  DEPTH_VARIABLE,
  endSurvivors,
  killAllGroups,
  Launcher,
  launchThrough,
  RUN_VARIABLE,
} from '../processes/index.ts';
import { lockDriver, openRunDirectory, type RunHandle } from '../runs/index.ts';
import type { DriverOrder } from './driver-process/index.ts';
import { flowOf } from './flows.ts';
import { cancelRequested, readParams, requireActivity, writeActivity } from './status.ts';

const HEARTBEAT_MS = 1000;

/**
 * The body of the driver process: loads what a run of that kind needs while whoever started us prepares it, waits
 * for the order on stdin, then drives the run.
 *
 * @returns the exit code: 0 when the activity was left in a state of its own or nothing was ordered, 1 when the
 *   driver failed
 * @throws RlmError `conflict` when another driver has the run
 */
export async function serveDriver(kind: string): Promise<number> {
  await flowOf(RunKind.parse(kind));
  // Waits, for there is nothing else to do: the end of stdin comes at the latest with the end of its writer.
  const text = readFileSync(0, 'utf8');
  if (text === '') return 0;
  const order: DriverOrder = JSON.parse(text);
  return drive(order);
}

/**
 * Takes the run's driver lock, ends what an earlier driver left running, carries the flow out, and leaves the
 * activity in a state that says how it went.
 *
 * SIGTERM, SIGINT and SIGHUP stop it: as a cancel when one was asked for (`cancel.json`), else as an
 * interruption that `resume` goes on from.
 */
async function drive(order: DriverOrder): Promise<number> {
  const run = openRunDirectory(order.run_dir);
  speakTo(run);
  process.chdir(run.record.root);
  const lock = lockDriver(run.dir, `driving ${run.id}`, order.token);
  const launcher = new Launcher();
  launchThrough(launcher);
  removeAbandoned(join(run.dir, RUN_FILES.logs));
  try {
    const driver = await Driver.takeUp(run, lock);
    return await driver.drive();
  } finally {
    await launcher.close();
    // A launcher that was killed left its spare files there.
    removeAbandoned(join(run.dir, RUN_FILES.logs));
    lock.release();
  }
}

/**
 * From here on what this process prints goes to a file, also what Node itself says when it runs out of memory: a
 * descriptor that is opened takes the place of the one that was closed just before.
 */
function speakTo(run: RunHandle): void {
  const log = logInside(run);
  if (log === undefined) return;
  ensureDirectory(dirname(log));
  for (const fd of [1, 2]) {
    closeSync(fd);
    const opened = openSync(log, 'a', FILE_MODE);
    if (opened !== fd) throw new RlmError('internal', `${log} was opened as ${opened}, not as ${fd}`);
  }
}

/** Undefined when a worker put a symlink or a FIFO in its place: whatever the run does next says so. */
function logInside(run: RunHandle): string | undefined {
  try {
    const log = resolveInside(run.dir, RUN_FILES.driverLog, RUN_FILES.driverLog);
    return statSync(log, { throwIfNoEntry: false })?.isFile() === false ? undefined : log;
  } catch (error) {
    if (error instanceof RlmError) return undefined;
    throw error;
  }
}

const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** The one writer of a run's journal and record, from when it has the run's lock to the end of the activity. */
class Driver {
  readonly #run: RunHandle;
  readonly #lock: HeldLock;
  readonly #history: History;
  readonly #journal: Journal;
  readonly #stop = new AbortController();
  #record: ActivityRecord;
  /** What went wrong with the last heartbeat; empty when nothing did. */
  #missed = '';

  private constructor(run: RunHandle, lock: HeldLock, history: History, record: ActivityRecord) {
    this.#run = run;
    this.#lock = lock;
    this.#history = history;
    this.#journal = new Journal(join(run.dir, RUN_FILES.events), history);
    this.#record = { ...record, driver_offset: this.#journal.size };
  }

  /** Ends what an earlier driver left running, and puts on record that this process drives the run now. */
  static async takeUp(run: RunHandle, lock: HeldLock): Promise<Driver> {
    const history = await readHistory(join(run.dir, RUN_FILES.events));
    const before = requireActivity(run);
    // Before the first driver nobody can have left anything running.
    const survivors = history.generation === 0 ? [] : await endSurvivors(run.dir, history.survivors);
    const now = new Date().toISOString();
    const driver = ownIdentity();
    const generation = Math.max(history.generation, before.generation) + 1;
    const { reason: _reason, failure: _failure, ended: _ended, ...rest } = before;
    const { outcome: _outcome, finished_at: _finished, ...kept } = rest;
    const taken = new Driver(run, lock, history, {
      ...kept,
      state: 'working',
      driver,
      generation,
      started_at: before.started_at ?? now,
      driver_started_at: now,
    });
    taken.#journal.append({ type: 'driver_started', generation, driver });
    if (survivors.length > 0) {
      const message = `ended ${survivors.length} worker processes of an earlier driver`;
      taken.#journal.append({ type: 'note', message });
    }
    taken.#save();
    return taken;
  }

  /** Carries the flow out, and records how it went. @returns the exit code: 1 when the flow threw */
  async drive(): Promise<number> {
    const heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    const onSignal = () => this.#stop.abort();
    for (const name of STOP_SIGNALS) process.on(name, onSignal);
    // Whatever ends this process, its workers end with it.
    process.on('exit', () => killAllGroups('SIGKILL'));
    if (cancelRequested(this.#run)) this.#stop.abort();
    const { end, code } = await this.#runFlow();
    clearInterval(heartbeat);
    await endSurvivors(this.#run.dir, []);
    for (const name of STOP_SIGNALS) process.off(name, onSignal);
    this.#finish(end);
    return code;
  }

  async #runFlow(): Promise<{ end: FlowEnd; code: number }> {
    const run = this.#run;
    try {
      const flow = await flowOf(this.#record.kind);
      const end = await flow({
        run,
        config: loadConfig(run.record.root),
        params: readParams(run),
        journal: this.#journal,
        history: this.#history,
        startedAt: performance.now(),
        signal: this.#stop.signal,
        marks: { [RUN_VARIABLE]: run.dir, [DEPTH_VARIABLE]: String(currentDepth() + 1) },
      });
      return { end, code: 0 };
    } catch (error) {
      const known = error instanceof RlmError;
      const message = known ? `${error.message}. ${error.hint.text}` : messageOf(error);
      if (!known) process.stderr.write(`${error instanceof Error ? error.stack : message}\n`);
      const failure: Failure = { class: known ? 'config' : 'crashed', message };
      return { end: { state: 'failed', reason: message, failure }, code: 1 };
    }
  }

  /** Shows that the driver lives, and looks whether it is to end. */
  #beat(): void {
    try {
      // Two drivers must not work on one run: whoever took it over does now, and our workers end with us.
      if (!this.#lock.isOurs()) {
        process.stderr.write('Error: another driver has taken the run over\n');
        process.exit(1);
      }
      this.#save();
      if (cancelRequested(this.#run)) this.#stop.abort();
    } catch (error) {
      // A full disk must not end the driver from a timer: what it does next says so, where it can be put right.
      const message = messageOf(error);
      if (message !== this.#missed) process.stderr.write(`Error: no heartbeat: ${message}\n`);
      this.#missed = message;
      if (!existsSync(this.#run.dir)) process.exit(1);
    }
  }

  #save(change: Partial<ActivityRecord> = {}, sync = false): void {
    const { worker } = this.#journal.history;
    this.#record = {
      ...this.#record,
      ...change,
      heartbeat_at: new Date().toISOString(),
      progress: this.#journal.progress,
      ...(worker === undefined ? {} : { worker }),
      journal_offset: this.#journal.size,
    };
    writeActivity(this.#run, this.#record, { sync });
  }

  /** The journal is on the disk before the record that sums it up. */
  #finish(end: FlowEnd): void {
    if (end.state === 'cancelled' && !cancelRequested(this.#run)) {
      const reason = 'the driver was asked to stop';
      this.#journal.append({ type: 'note', message: reason });
      this.#journal.close();
      this.#save({ reason }, true);
      return;
    }
    const { state, reason, failure, ended, outcome = outcomeOf(state, this.#journal.progress) } = end;
    const said = {
      outcome,
      ...(reason === undefined ? {} : { reason }),
      ...(failure === undefined ? {} : { failure }),
      ...(ended === undefined ? {} : { ended }),
    };
    this.#journal.append({ type: 'finished', state, ...said });
    this.#journal.close();
    this.#save({ state, ...said, finished_at: new Date().toISOString() }, true);
  }
}
