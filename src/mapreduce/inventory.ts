import type { Stats } from 'node:fs';
import { join } from 'node:path';
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
import { writeFileAtomic } from '../files/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { taskGraph } from './graph.ts';
import { isRunning, readLaunches } from './launches.ts';
import { fromRoot, PLAN_FILES } from './layout.ts';
import { readPlan } from './plan.ts';
import { lookAtReport, type ReportLook, reportStat, writtenSince } from './report.ts';
import { suggest } from './suggestion.ts';
import { draftOf } from './task-assignment.ts';

/** A running worker that wrote nothing for so long is called stale, in seconds (CONTRACTS.md D). */
const STALE_SECONDS = 1200;

/**
 * How every task of a run stands now, from the plan, the launches and the reports on disk; nothing remembered.
 *
 * @param options.now the moment that ages are counted to
 */
export function lookAtTasks(
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
    const status = look(root, run, task, launches.get(task.worker_id), { now, staleSeconds });
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

/** Looks, and writes `reduce_state.json`. */
export function takeInventory(
  root: string,
  run: RunHandle,
  options: { staleSeconds?: number; now?: Date } = {},
): { plan: Plan; state: ReduceState } {
  const seen = lookAtTasks(root, run, options);
  // Not indented: at 5,000 tasks half of the file would be spaces.
  writeFileAtomic(join(run.dir, PLAN_FILES.reduceState), `${JSON.stringify(seen.state)}\n`);
  return seen;
}

/** One task, by its launch and its report as they are now. Who retries it is not seen here. */
function look(
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
        : (suggest(task, { state, running, failure }) ?? null),
  };
}

interface FoundReport {
  stat: Stats;
  look: ReportLook;
}

/** A task's report; until a worker has ended, that is its draft, if it has begun one. */
function findReport(root: string, run: RunHandle, task: Task, running: boolean): FoundReport | undefined {
  // Not `join`, which takes as long as a look at the file: the path was brought into its one form when it was planned.
  const path = `${root}/${task.report_path}`;
  for (const file of running ? [draftOf(run, task).path, path] : [path]) {
    const stat = reportStat(file);
    const look = stat === undefined ? undefined : lookAtReport(file, stat.size);
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
  // Nobody saw it end, and it is gone.
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

/** A row of the short inventory. */
interface AttentionRow {
  worker_id: string;
  state: TaskStatus['state'];
  running: boolean;
  age_sec: number | null;
  failure_class: TaskStatus['failure_class'];
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
  /** `ok` reports without a section "Contract Compliance": how many, and the first of them. */
  without_compliance: { count: number; first: string[] };
  /** Launched, not ok, and not made good by a retry. */
  attention: AttentionRow[];
  attention_left_out: number;
}

/** Rows that fit into the 8 kB of a result, at about 220 bytes each, with room for the rest. */
const ATTENTION_ROWS = 25;

/** Cuts an inventory to the size of a result (at most 8 kB at any number of tasks). */
export function summarizeInventory(root: string, run: RunHandle, state: ReduceState): InventorySummary {
  const notLaunched = state.tasks.filter((task) => !task.launched && task.state === 'missing');
  const bare = state.tasks.filter((task) => task.state === 'ok' && task.contract_compliance === false);
  const attention = state.tasks.filter(
    (task) =>
      task.state !== 'ok' &&
      task.state !== 'inflight' &&
      !(task.state === 'missing' && !task.launched) &&
      task.retried_by.length === 0,
  );
  return {
    run_id: run.id,
    path: fromRoot(root, join(run.dir, PLAN_FILES.reduceState)),
    plan_iteration: state.plan_iteration,
    total: state.tasks.length,
    counts: state.counts,
    not_launched: notLaunched.length,
    unlaunched_reports: state.tasks.filter((task) => !task.launched && task.state === 'ok').length,
    without_compliance: { count: bare.length, first: bare.slice(0, 5).map((task) => task.worker_id) },
    attention: attention.slice(0, ATTENTION_ROWS).map((task) => ({
      worker_id: task.worker_id,
      state: task.state,
      running: task.running,
      age_sec: task.age_sec,
      failure_class: task.failure_class,
      suggestion: task.suggestion,
    })),
    attention_left_out: Math.max(0, attention.length - ATTENTION_ROWS),
  };
}
