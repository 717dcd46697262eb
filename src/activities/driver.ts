import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadConfig } from '../config/index.ts';
import { type ActivityRecord, outcomeOf, RUN_FILES, RunKind } from '../contracts/index.ts';
import { type FlowEnd, Journal, readHistory } from '../dispatch/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { ensureDirectory, FILE_MODE, type HeldLock, ownIdentity, removeAbandoned } from '../files/index.ts';
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
  speakTo(join(run.dir, RUN_FILES.driverLog));
  process.chdir(run.record.root);
  const lock = lockDriver(run.dir, `driving ${run.id}`, order.token);
  const launcher = new Launcher();
  launchThrough(launcher);
  removeAbandoned(join(run.dir, RUN_FILES.logs));
  try {
    return await driveLocked(run, lock);
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
function speakTo(log: string): void {
  ensureDirectory(dirname(log));
  for (const fd of [1, 2]) {
    closeSync(fd);
    const opened = openSync(log, 'a', FILE_MODE);
    if (opened !== fd) throw new RlmError('internal', `${log} was opened as ${opened}, not as ${fd}`);
  }
}

async function driveLocked(run: RunHandle, lock: HeldLock): Promise<number> {
  const journalPath = join(run.dir, RUN_FILES.events);
  const history = await readHistory(journalPath);
  const before = requireActivity(run);
  // Before the first driver nobody can have left anything running.
  const survivors = history.generation === 0 ? [] : await endSurvivors(run.dir, history.survivors);
  const now = new Date().toISOString();
  const driver = ownIdentity();
  const generation = Math.max(history.generation, before.generation) + 1;
  const { reason: _reason, failure: _failure, ended: _ended, ...rest } = before;
  const { outcome: _outcome, finished_at: _finished, ...kept } = rest;
  const journal = new Journal(journalPath, history);
  let record: ActivityRecord = {
    ...kept,
    state: 'working',
    driver,
    driver_offset: journal.size,
    generation,
    started_at: before.started_at ?? now,
    driver_started_at: now,
  };
  journal.append({ type: 'driver_started', generation, driver });
  if (survivors.length > 0) {
    journal.append({
      type: 'note',
      message: `ended ${survivors.length} worker processes of an earlier driver`,
    });
  }
  const save = (change: Partial<ActivityRecord> = {}, sync = false) => {
    record = {
      ...record,
      ...change,
      heartbeat_at: new Date().toISOString(),
      progress: journal.progress,
      ...(journal.history.worker === undefined ? {} : { worker: journal.history.worker }),
      journal_offset: journal.size,
    };
    writeActivity(run, record, { sync });
  };
  save();

  const controller = new AbortController();
  const beat = () => {
    // Two drivers must not work on one run: whoever took it over does now, and our workers end with us.
    if (!lock.isOurs()) {
      process.stderr.write('Error: another driver has taken the run over\n');
      process.exit(1);
    }
    save();
    if (cancelRequested(run)) controller.abort();
  };
  let missed = '';
  const heartbeat = setInterval(() => {
    try {
      beat();
    } catch (error) {
      // A full disk must not end the driver from a timer: what it does next says so, where it can be put right.
      const message = messageOf(error);
      if (message !== missed) process.stderr.write(`Error: no heartbeat: ${message}\n`);
      missed = message;
      if (!existsSync(run.dir)) process.exit(1);
    }
  }, HEARTBEAT_MS);
  const stopSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
  const onSignal = () => controller.abort();
  for (const name of stopSignals) process.on(name, onSignal);
  // Whatever ends this process, its workers end with it.
  process.on('exit', () => killAllGroups('SIGKILL'));
  if (cancelRequested(run)) controller.abort();

  let end: FlowEnd;
  let code = 0;
  try {
    const flow = await flowOf(record.kind);
    end = await flow({
      run,
      config: loadConfig(run.record.root),
      params: readParams(run),
      journal,
      history,
      startedAt: performance.now(),
      signal: controller.signal,
      marks: { [RUN_VARIABLE]: run.dir, [DEPTH_VARIABLE]: String(currentDepth() + 1) },
    });
  } catch (error) {
    const known = error instanceof RlmError;
    const message = known ? `${error.message}. ${error.hint.text}` : messageOf(error);
    if (!known) process.stderr.write(`${error instanceof Error ? error.stack : message}\n`);
    end = { state: 'failed', reason: message, failure: { class: known ? 'config' : 'crashed', message } };
    code = 1;
  }
  clearInterval(heartbeat);
  await endSurvivors(run.dir, []);
  for (const name of stopSignals) process.off(name, onSignal);

  if (end.state === 'cancelled' && !cancelRequested(run)) {
    const reason = 'the driver was told to stop';
    journal.append({ type: 'note', message: reason });
    save({ reason }, true);
  } else {
    const { state, reason, failure, ended, outcome = outcomeOf(state, journal.progress) } = end;
    const said = {
      outcome,
      ...(reason === undefined ? {} : { reason }),
      ...(failure === undefined ? {} : { failure }),
      ...(ended === undefined ? {} : { ended }),
    };
    journal.append({ type: 'finished', state, ...said });
    save({ state, ...said, finished_at: new Date().toISOString() }, true);
  }
  journal.close();
  return code;
}
