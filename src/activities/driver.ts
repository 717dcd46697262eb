import { join } from 'node:path';
import { loadConfig } from '../config/index.ts';
import type { ActivityRecord } from '../contracts/index.ts';
import { type FlowEnd, Journal, readHistory } from '../dispatch/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { ownIdentity } from '../files/index.ts';
import { lockDriver, openRunDirectory, RUN_FILES, type RunHandle } from '../runs/index.ts';
import {
  currentDepth,
  DEPTH_VARIABLE,
  endSurvivors,
  killAllGroups,
  type Launcher,
  launchThrough,
  RUN_VARIABLE,
} from '../workers/index.ts';
import { flowOf } from './flows.ts';
import { cancelRequested, requireActivity, writeActivity } from './record.ts';

const HEARTBEAT_MS = 1000;

/**
 * The body of the driver process: takes the run's driver lock, ends what an earlier driver left running,
 * carries the flow out, and leaves the activity in a state that says how it went.
 *
 * SIGTERM, SIGINT and SIGHUP stop it: as a cancel when one was asked for (`cancel.json`), else as an
 * interruption that `resume` goes on from.
 *
 * @param launcher starts the programs of its workers; ended when the work is over
 * @param token of the driver lock that whoever started this process holds for it
 * @returns the exit code: 0 when the activity was left in a state of its own, 1 when the driver failed
 * @throws RlmError `conflict` when another driver has the run
 */
export async function drive(runDir: string, launcher: Launcher, token?: string): Promise<number> {
  const run = openRunDirectory(runDir);
  const lock = lockDriver(run.dir, `driving ${run.id}`, token);
  launchThrough(launcher);
  try {
    return await driveLocked(run);
  } finally {
    launcher.close();
    lock.release();
  }
}

async function driveLocked(run: RunHandle): Promise<number> {
  const journalPath = join(run.dir, RUN_FILES.events);
  const history = await readHistory(journalPath);
  const before = requireActivity(run);
  const survivors = await endSurvivors(run.dir, history.survivors);
  const now = new Date().toISOString();
  const driver = ownIdentity();
  const generation = Math.max(history.generation, before.generation) + 1;
  const { reason: _reason, failure: _failure, finished_at: _finished, ...kept } = before;
  let record: ActivityRecord = {
    ...kept,
    state: 'working',
    driver,
    generation,
    started_at: before.started_at ?? now,
  };

  const journal = new Journal(journalPath, history);
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
      journal_offset: journal.size,
    };
    writeActivity(run, record, { sync });
  };
  save();

  const controller = new AbortController();
  const heartbeat = setInterval(() => {
    save();
    if (cancelRequested(run)) controller.abort();
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
      params: record.params,
      journal,
      history,
      startedAt: Date.parse(now),
      signal: controller.signal,
      marks: { [RUN_VARIABLE]: run.dir, [DEPTH_VARIABLE]: String(currentDepth() + 1) },
    });
  } catch (error) {
    const known = error instanceof RlmError;
    const message = known && error.hint !== undefined ? `${error.message}. ${error.hint}` : messageOf(error);
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
    const { state, reason, failure } = end;
    const said = {
      ...(reason === undefined ? {} : { reason }),
      ...(failure === undefined ? {} : { failure }),
    };
    journal.append({ type: 'finished', state, ...said });
    save({ state, ...said, finished_at: new Date().toISOString() }, true);
  }
  journal.close();
  return code;
}
