import type { TaskBoard } from '../contracts/index.ts';
import { orchestratorLock, type RunHandle } from '../runs/index.ts';
import { draftPath } from './draft.ts';
import { readInflight } from './inflight.ts';
import { lookAtTasks } from './inventory.ts';
import { fromRoot } from './layout.ts';
import { countProgressNotes } from './report.ts';

/** Rows of each list: with these a status of a run of any size stays under 2 kB. */
const ROWS = 4;

/** Looks at a run's tasks; the truth as any process can read it from disk. */
export function boardOf(root: string, run: RunHandle): TaskBoard {
  const { plan, state } = lookAtTasks(root, run);
  const launches = new Map(readInflight(run).workers.map((record) => [record.worker_id, record]));
  const planned = new Map(plan.tasks.map((task) => [task.worker_id, task]));
  const draftOf = (id: string) => {
    const task = planned.get(id);
    return task === undefined ? undefined : draftPath(run, task);
  };
  const rows = state.tasks.flatMap((task) => {
    const launch = launches.get(task.worker_id);
    return launch === undefined ? [] : [{ task, launch }];
  });
  const failed = rows
    .filter(({ task }) => task.state !== 'ok' && !task.running && task.retried_by.length === 0)
    .sort((a, b) => (a.launch.started_at < b.launch.started_at ? 1 : -1));
  const lock = orchestratorLock(root, run.id);
  return {
    plan_iteration: plan.iteration,
    total: state.tasks.length,
    counts: state.counts,
    not_launched: state.tasks.filter((task) => !task.launched && task.state !== 'ok').length,
    satisfied: state.tasks.filter((task) => task.satisfied).length,
    inflight: rows
      .filter(({ task }) => task.running)
      .sort((a, b) => (a.launch.started_at < b.launch.started_at ? -1 : 1))
      .slice(0, ROWS)
      .map(({ task, launch }) => {
        const draft = draftOf(task.worker_id);
        return {
          worker_id: task.worker_id,
          mode: task.mode,
          pid: launch.pid ?? null,
          started_at: launch.started_at,
          state: task.state,
          report_age_sec: task.age_sec,
          progress_notes: draft === undefined ? 0 : countProgressNotes(draft),
          draft: draft === undefined ? task.report_path : fromRoot(root, draft),
        };
      }),
    failed: failed.slice(0, ROWS).map(({ task, launch }) => ({
      worker_id: task.worker_id,
      state: task.state,
      failure_class: task.failure_class,
      exit_code: launch.exit_code,
    })),
    failed_total: failed.length,
    orchestrator:
      lock === undefined
        ? null
        : {
            pid: lock.holder.pid,
            host: lock.holder.host.slice(0, 64),
            alive: lock.alive === 'unknown' ? 'unknown' : lock.alive ? 'yes' : 'no',
            stale: lock.stale,
          },
  };
}
