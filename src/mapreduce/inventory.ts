import { join } from 'node:path';
import {
  type LaunchRecord,
  type Plan,
  type ReduceState,
  SCHEMA_VERSION,
  type StateCounts,
  type Task,
  type TaskStatus,
} from '../contracts/index.ts';
import { writeFileAtomic } from '../files/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { draftPath } from './draft.ts';
import { taskGraph } from './graph.ts';
import { isRunning, readInflight } from './inflight.ts';
import { fromRoot, PLAN_FILES } from './layout.ts';
import { readPlan } from './plan.ts';
import { lookAtReport, reportStat, writtenSince } from './report.ts';
import { suggest } from './suggestion.ts';

/** A running worker that wrote nothing for so long is called stale, in seconds (CONTRACTS.md D). */
export const STALE_SECONDS = 1200;

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
  const launches = new Map(readInflight(run).workers.map((record) => [record.worker_id, record]));
  const counts: StateCounts = { ok: 0, missing: 0, empty: 0, stale: 0, inflight: 0, failed: 0 };
  const { retries } = taskGraph(plan.tasks);
  const tasks = plan.tasks.map((task) => {
    const status = look(root, run, task, launches.get(task.worker_id), now, staleSeconds);
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

function look(
  root: string,
  run: RunHandle,
  task: Task,
  launch: LaunchRecord | undefined,
  now: number,
  staleSeconds: number,
): TaskStatus {
  // Not `join`, which takes as long as a look at the file: the path was brought into its one form when it was planned.
  const path = `${root}/${task.report_path}`;
  const running = launch !== undefined && isRunning(launch);
  // Until it has ended, a worker's report is its draft.
  const draft = running ? draftPath(run, task) : path;
  const drafted = running ? reportStat(draft) : undefined;
  const stat = drafted ?? reportStat(path);
  const report =
    stat === undefined ? undefined : lookAtReport(drafted === undefined ? path : draft, stat.size);
  const startedAt = launch === undefined ? 0 : Date.parse(launch.started_at);
  let state: TaskStatus['state'];
  let failure = launch?.failure_class ?? null;
  if (launch !== undefined && running) {
    const lastSign = Math.max(startedAt, stat?.mtimeMs ?? 0);
    state = now - lastSign > staleSeconds * 1000 ? 'stale' : 'inflight';
  } else if (launch !== undefined && launch.finished_at === null) {
    state = 'failed';
    failure = 'crashed';
  } else if (failure !== null && failure !== 'invalid_output') state = 'failed';
  else if (stat === undefined) state = 'missing';
  else if (report?.blank) state = 'empty';
  else if (launch !== undefined && !writtenSince(stat, startedAt)) state = 'stale';
  else state = failure === null ? 'ok' : 'failed';
  const launched = launch !== undefined;
  return {
    worker_id: task.worker_id,
    mode: task.mode,
    state,
    launched,
    running,
    report_path: task.report_path,
    size_bytes: stat?.size ?? null,
    age_sec: stat === undefined ? null : Math.max(0, Math.round((now - stat.mtimeMs) / 100) / 10),
    contract_compliance: report?.contractCompliance ?? null,
    failure_class: failure,
    retry_of: task.retry_of ?? null,
    retried_by: [],
    satisfied: false,
    suggestion: launched || stat !== undefined ? (suggest(task, { state, running, failure }) ?? null) : null,
  };
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
export interface AttentionRow {
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
