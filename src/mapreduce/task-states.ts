import { lstatSync, readFileSync, type Stats, statSync } from 'node:fs';
import {
  type FailureClass,
  type LaunchRecord,
  type Plan,
  type ReduceState,
  type ReportState,
  SCHEMA_VERSION,
  type StateCounts,
  TASK_MESSAGE_CHARS,
  type Task,
  type TaskStatus,
  type Verdict,
} from '../contracts/index.ts';
import { messageOf } from '../errors.ts';
import type { RunHandle } from '../runs/index.ts';
import { sha256, truncate } from '../text/index.ts';
import { isRunning, readLaunches } from './launches.ts';
import { readPlan } from './plan.ts';
import { suggestRetry } from './ready.ts';
import {
  findMissingPart,
  isBlank,
  MAX_REPORT_BYTES,
  readVerdict,
  reportStat,
  writtenSince,
} from './report.ts';
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
  const counts: StateCounts = { ok: 0, changed: 0, missing: 0, empty: 0, stale: 0, inflight: 0, failed: 0 };
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
  // Not `join`, which takes as long as reading the file: the path was brought into its one form when it was planned.
  const path = `${root}/${task.report_path}`;
  const running = launch !== undefined && isRunning(launch);
  const draft = launch === undefined ? undefined : draftOf(run, task).path;
  // Until a worker has ended, its report is its draft, if it has begun one.
  const stat = (running && draft !== undefined ? reportStat(draft) : undefined) ?? reportStat(path);
  const {
    state,
    failure = null,
    message = null,
    verdict = null,
  } = running
    ? { state: stateOfRunning(launch, stat, at) }
    : stateOfEnded(task, launch, stat === undefined ? undefined : { path, stat }, draft);
  const age = stat === undefined ? null : at.now - stat.mtimeMs;
  return {
    worker_id: task.worker_id,
    mode: task.mode,
    state,
    launched: launch !== undefined,
    running,
    launched_at: launch?.started_at ?? null,
    accepted_at: state === 'ok' ? (launch?.finished_at ?? stat?.mtime.toISOString() ?? null) : null,
    report_path: task.report_path,
    size_bytes: stat?.size ?? null,
    age_sec: age === null ? null : Math.max(0, Math.round(age / 100) / 10),
    verdict,
    failure_class: failure,
    failure_message: message === null ? null : truncate(message, TASK_MESSAGE_CHARS),
    retry_of: task.retry_of ?? null,
    retried_by: [],
    satisfied: false,
    suggestion:
      launch === undefined && stat === undefined
        ? null
        : (suggestRetry(task, { state, running, failure, message, worker: launch?.worker }) ?? null),
  };
}

function stateOfRunning(
  launch: LaunchRecord,
  draft: Stats | undefined,
  { now, staleSeconds }: { now: number; staleSeconds: number },
): 'stale' | 'inflight' {
  const lastSign = Math.max(Date.parse(launch.started_at), draft?.mtimeMs ?? 0);
  return now - lastSign > staleSeconds * 1000 ? 'stale' : 'inflight';
}

interface EndedState {
  state: ReportState;
  failure?: FailureClass | null;
  message?: string | null;
  verdict?: Verdict | null;
}

/** The state of a task whose worker has ended, or that nobody was launched for. */
function stateOfEnded(
  task: Task,
  launch: LaunchRecord | undefined,
  report: { path: string; stat: Stats } | undefined,
  draft: string | undefined,
): EndedState {
  // It is gone, and no driver recorded its end.
  if (launch?.finished_at === null) {
    return { state: 'failed', failure: 'crashed', message: 'its driver died while it ran' };
  }
  const failure = launch?.failure_class ?? null;
  const ended = { failure, message: launch?.failure_message ?? null };
  if (failure !== null && failure !== 'invalid_output') return { state: 'failed', ...ended };
  const accepted = failure === null ? (launch?.report_sha256 ?? undefined) : undefined;
  if (report === undefined) {
    if (accepted !== undefined)
      return { state: 'changed', message: 'its report was deleted after it was accepted' };
    // A draft that could not be published is still there.
    const refused =
      failure !== null && draft !== undefined && lstatSync(draft, { throwIfNoEntry: false }) !== undefined;
    return { state: refused ? 'failed' : 'missing', ...ended };
  }
  const bytes = readReport(report.path);
  if (typeof bytes === 'string') return { state: 'failed', failure: 'invalid_output', message: bytes };
  if (accepted !== undefined) {
    if (sha256(bytes) !== accepted) {
      return { state: 'changed', message: 'its report was changed after it was accepted' };
    }
    return { state: 'ok', verdict: verdictOf(task, bytes) };
  }
  if (isBlank(bytes)) return { state: 'empty', ...ended };
  if (launch !== undefined && !writtenSince(report.stat.mtimeMs, Date.parse(launch.started_at))) {
    return { state: 'stale', ...ended };
  }
  if (failure !== null) return { state: 'failed', ...ended };
  const message = findMissingPart(bytes, task.mode);
  if (message !== undefined) return { state: 'failed', failure: 'invalid_output', message };
  return { state: 'ok', verdict: verdictOf(task, bytes) };
}

/** The bytes of a report, or why it cannot be read. */
function readReport(path: string): Uint8Array | string {
  try {
    const { size } = statSync(path);
    if (size > MAX_REPORT_BYTES) return `the report has ${size} bytes, more than ${MAX_REPORT_BYTES}`;
    return readFileSync(path);
  } catch (error) {
    return `the report cannot be read: ${messageOf(error)}`;
  }
}

function verdictOf(task: Task, report: Uint8Array): Verdict | null {
  return task.mode === 'verify' ? (readVerdict(report) ?? null) : null;
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
