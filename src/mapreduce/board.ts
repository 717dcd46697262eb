import type { LaunchRecord, TaskBoard, TaskStatus } from '../contracts/index.ts';
import { orchestratorLock, type RunHandle } from '../runs/index.ts';
import { lookAtTasks } from './inventory.ts';
import { readLaunches } from './launches.ts';
import { fromRoot } from './layout.ts';
import { countProgressNotes } from './report.ts';
import { draftOf } from './task-assignment.ts';

/** Rows of each list: with these a status of a run of any size stays under 2 kB. */
const ROWS = 4;

/** Looks at a run's tasks; the truth as any process can read it from disk. */
export function boardOf(root: string, run: RunHandle): TaskBoard {
  const { plan, state } = lookAtTasks(root, run);
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
    counts: state.counts,
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

function orchestratorOf(root: string, run: RunHandle): TaskBoard['orchestrator'] {
  const lock = orchestratorLock(root, run.id);
  if (lock === undefined) return null;
  return {
    pid: lock.holder.pid,
    host: lock.holder.host.slice(0, 64),
    alive: lock.alive === 'unknown' ? 'unknown' : lock.alive ? 'yes' : 'no',
    stale: lock.stale,
  };
}
