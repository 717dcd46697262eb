import type { Stats } from 'node:fs';
import {
  type FailureClass,
  type LaunchRecord,
  type Plan,
  type ReduceState,
  type ReportState,
  SCHEMA_VERSION,
  type StateCounts,
  type Task,
  type TaskStatus,
} from '../contracts/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { isRunning, readLaunches } from './launches.ts';
import { readPlan } from './plan.ts';
import { suggestRetry } from './ready.ts';
import { inspectReport, type ReportContent, reportStat, writtenSince } from './report.ts';
import { draftOf } from './task-assignment.ts';
import { taskGraph } from './task-graph.ts';

/** A running worker that wrote nothing for so long is called stale, in seconds. */
const STALE_SECONDS = 1200;

/**
 * The state of every task of a run, from the plan, the launches and the reports as they are on disk now.
 *
 * @param options.now the moment that ages are counted to
 */
export function readTaskStates(
  root: string,
  run: RunHandle,
  options: { staleSeconds?: number; now?: Date } = {},
): { plan: Plan; state: ReduceState } {
  const plan = readPlan(run);
  const now = (options.now ?? new Date()).getTime();
  const staleSeconds = options.staleSeconds ?? STALE_SECONDS;
  const launches = new Map(readLaunches(run).map((record) => [record.worker_id, record]));
  const counts: StateCounts = { ok: 0, missing: 0, empty: 0, stale: 0, inflight: 0, failed: 0 };
  const { retries } = taskGraph(plan.tasks);
  const tasks = plan.tasks.map((task) => {
    const status = readTaskState(root, run, task, launches.get(task.worker_id), { now, staleSeconds });
    counts[status.state] += 1;
    return { ...status, retried_by: [...(retries.get(task.worker_id) ?? [])] };
  });
  markSatisfied(tasks);
  return {
    plan,
    state: {
      schema_version: SCHEMA_VERSION,
      run_id: run.id,
      generated_at: new Date(now).toISOString(),
      plan_iteration: plan.iteration,
      stale_seconds: staleSeconds,
      counts,
      tasks,
    },
  };
}

/** The state of one task, from its launch and its report. Its retries are added later. */
function readTaskState(
  root: string,
  run: RunHandle,
  task: Task,
  launch: LaunchRecord | undefined,
  at: { now: number; staleSeconds: number },
): TaskStatus {
  const running = launch !== undefined && isRunning(launch);
  const report = findReport(root, run, task, running);
  const { state, failure } = stateOf(launch, running, report, at);
  const age = report === undefined ? null : at.now - report.stat.mtimeMs;
  return {
    worker_id: task.worker_id,
    mode: task.mode,
    state,
    launched: launch !== undefined,
    running,
    report_path: task.report_path,
    size_bytes: report?.stat.size ?? null,
    age_sec: age === null ? null : Math.max(0, Math.round(age / 100) / 10),
    contract_compliance: report?.look.contractCompliance ?? null,
    failure_class: failure,
    retry_of: task.retry_of ?? null,
    retried_by: [],
    satisfied: false,
    suggestion:
      launch === undefined && report === undefined
        ? null
        : (suggestRetry(task, { state, running, failure }) ?? null),
  };
}

interface FoundReport {
  stat: Stats;
  look: ReportContent;
}

/** A task's report; until a worker has ended, that is its draft, if it has begun one. */
function findReport(root: string, run: RunHandle, task: Task, running: boolean): FoundReport | undefined {
  // Not `join`, which takes as long as a look at the file: the path was brought into its one form when it was planned.
  const path = `${root}/${task.report_path}`;
  for (const file of running ? [draftOf(run, task).path, path] : [path]) {
    const stat = reportStat(file);
    const look = stat === undefined ? undefined : inspectReport(file, stat.size);
    if (stat !== undefined && look !== undefined) return { stat, look };
  }
  return undefined;
}

function stateOf(
  launch: LaunchRecord | undefined,
  running: boolean,
  report: FoundReport | undefined,
  { now, staleSeconds }: { now: number; staleSeconds: number },
): { state: ReportState; failure: FailureClass | null } {
  const startedAt = launch === undefined ? 0 : Date.parse(launch.started_at);
  if (running) {
    const lastSign = Math.max(startedAt, report?.stat.mtimeMs ?? 0);
    const stale = now - lastSign > staleSeconds * 1000;
    return { state: stale ? 'stale' : 'inflight', failure: launch?.failure_class ?? null };
  }
  // It is gone, and no driver recorded its end.
  if (launch?.finished_at === null) return { state: 'failed', failure: 'crashed' };
  const failure = launch?.failure_class ?? null;
  if (failure !== null && failure !== 'invalid_output') return { state: 'failed', failure };
  if (report === undefined) return { state: 'missing', failure };
  if (report.look.blank) return { state: 'empty', failure };
  if (launch !== undefined && !writtenSince(report.stat.mtimeMs, startedAt))
    return { state: 'stale', failure };
  return { state: failure === null ? 'ok' : 'failed', failure };
}

/** A task is satisfied by its own report, or by everything that retries it. The plan has no cycle. */
function markSatisfied(tasks: TaskStatus[]): void {
  const byId = new Map(tasks.map((task) => [task.worker_id, task]));
  const known = new Map<string, boolean>();
  const satisfied = (task: TaskStatus): boolean => {
    const before = known.get(task.worker_id);
    if (before !== undefined) return before;
    const result =
      task.state === 'ok' ||
      (task.retried_by.length > 0 &&
        task.retried_by.every((id) => {
          const retry = byId.get(id);
          return retry !== undefined && satisfied(retry);
        }));
    known.set(task.worker_id, result);
    return result;
  };
  for (const task of tasks) task.satisfied = satisfied(task);
}
