import { join } from 'node:path';
import type {
  LaunchRecord,
  Plan,
  PlanStatus,
  ReduceState,
  StateCounts,
  TaskStatus,
} from '../contracts/index.ts';
import { RUN_FILES } from '../contracts/index.ts';
import { writeFileAtomic } from '../files/index.ts';
import { orchestratorLock, type RunHandle, requireNotArchived } from '../runs/index.ts';
import { readLaunches } from './launches.ts';
import { fromRoot } from './plan-rules.ts';
import { countProgressNotes } from './report.ts';
import { draftOf } from './task-assignment.ts';
import { readTaskStates } from './task-states.ts';

/** Reads the state of every task, and writes it to `reduce_state.json`. */
export function takeInventory(
  root: string,
  run: RunHandle,
  options: { staleSeconds?: number; now?: Date } = {},
): { plan: Plan; state: ReduceState } {
  requireNotArchived(run);
  const seen = readTaskStates(root, run, options);
  // Not indented: at 5,000 tasks half of the file would be spaces.
  writeFileAtomic(join(run.dir, RUN_FILES.reduceState), `${JSON.stringify(seen.state)}\n`);
  return seen;
}

/** A row of the short inventory. */
interface AttentionRow {
  worker_id: string;
  state: TaskStatus['state'];
  running: boolean;
  age_sec: number | null;
  failure_class: TaskStatus['failure_class'];
  error: string | null;
  suggestion: TaskStatus['suggestion'];
}

/** The inventory as a result: counts, the file's path, and the first tasks that need a decision. */
export interface InventorySummary {
  run_id: string;
  path: string;
  plan_iteration: number;
  total: number;
  counts: StateCounts;
  /** Tasks that nobody launched yet; part of `missing`. */
  not_launched: number;
  /** Reports that are `ok` without a launch on record: somebody else wrote them. */
  unlaunched_reports: number;
  /** Launched, not ok, and not made good by a retry. */
  attention: AttentionRow[];
  attention_skipped: number;
}

/** Of the 8 kB of a result; the rest needs about 1.5 kB. */
const ATTENTION_BYTES = 6_000;

/** Cuts an inventory to the size of a result (at most 8 kB at any number of tasks). */
export function summarizeInventory(root: string, run: RunHandle, state: ReduceState): InventorySummary {
  const notLaunched = state.tasks.filter((task) => !task.launched && task.state === 'missing');
  const attention = state.tasks.filter(
    (task) =>
      task.state !== 'ok' &&
      task.state !== 'inflight' &&
      !(task.state === 'missing' && !task.launched) &&
      task.retried_by.length === 0,
  );
  const rows: AttentionRow[] = [];
  let bytes = 0;
  for (const task of attention) {
    const { worker_id, state, running, age_sec, failure_class, failure_message: error, suggestion } = task;
    const row = { worker_id, state, running, age_sec, failure_class, error, suggestion };
    bytes += Buffer.byteLength(JSON.stringify(row)) + 1;
    if (bytes > ATTENTION_BYTES && rows.length > 0) break;
    rows.push(row);
  }
  return {
    run_id: run.id,
    path: fromRoot(root, join(run.dir, RUN_FILES.reduceState)),
    plan_iteration: state.plan_iteration,
    total: state.tasks.length,
    counts: state.counts,
    not_launched: notLaunched.length,
    unlaunched_reports: state.tasks.filter((task) => !task.launched && task.state === 'ok').length,
    attention: rows,
    attention_skipped: attention.length - rows.length,
  };
}

/** Rows of each list: with these a status of a run of any size stays under 2 kB. */
const ROWS = 4;

/** The tasks of a run for its status, as any process can read them from disk. */
export function readPlanStatus(root: string, run: RunHandle): PlanStatus {
  const { plan, state } = readTaskStates(root, run);
  const launches = new Map(readLaunches(run).map((record) => [record.worker_id, record]));
  const planned = new Map(plan.tasks.map((task) => [task.worker_id, task]));
  const rows = state.tasks.flatMap((status) => {
    const launch = launches.get(status.worker_id);
    const task = planned.get(status.worker_id);
    return launch === undefined || task === undefined
      ? []
      : [{ status, launch, draft: draftOf(run, task).path }];
  });
  const oldestFirst = (a: Row, b: Row) => (a.launch.started_at < b.launch.started_at ? -1 : 1);
  const inflight = rows.filter(({ status }) => status.running).sort(oldestFirst);
  const failed = rows
    .filter(({ status }) => status.state !== 'ok' && !status.running && status.retried_by.length === 0)
    .sort((a, b) => oldestFirst(b, a));
  return {
    plan_iteration: plan.iteration,
    total: state.tasks.length,
    // What was launched and ended without a report has failed; what was not launched is not missing.
    counts: {
      ok: state.counts.ok,
      changed: state.counts.changed,
      inflight: state.counts.inflight,
      stale: inflight.filter(({ status }) => status.state === 'stale').length,
      failed: failed.filter(({ status }) => status.state !== 'changed').length,
    },
    not_launched: state.tasks.filter((task) => !task.launched && task.state !== 'ok').length,
    satisfied: state.tasks.filter((task) => task.satisfied).length,
    inflight: inflight.slice(0, ROWS).map(({ status, launch, draft }) => ({
      worker_id: status.worker_id,
      mode: status.mode,
      pid: launch.pid ?? null,
      started_at: launch.started_at,
      state: status.state,
      report_age_sec: status.age_sec,
      progress_notes: countProgressNotes(draft),
      draft: fromRoot(root, draft),
    })),
    failed: failed.slice(0, ROWS).map(({ status, launch }) => ({
      worker_id: status.worker_id,
      state: status.state,
      failure_class: status.failure_class,
      error: status.failure_message,
      exit_code: launch.exit_code,
    })),
    failed_total: failed.length,
    orchestrator: orchestratorOf(root, run),
  };
}

interface Row {
  status: TaskStatus;
  launch: LaunchRecord;
  /** Absolute. */
  draft: string;
}

function orchestratorOf(root: string, run: RunHandle): PlanStatus['orchestrator'] {
  const lock = orchestratorLock(root, run.id);
  if (lock === undefined) return null;
  return {
    pid: lock.holder.pid,
    host: lock.holder.host.slice(0, 64),
    alive: lock.alive === 'unknown' ? 'unknown' : lock.alive ? 'yes' : 'no',
    stale: lock.stale,
  };
}
