import type {
  ComputeTier,
  FailureClass,
  Granularity,
  Plan,
  ReduceState,
  ReportState,
  RetryAction,
  Task,
  TaskInput,
  TaskMode,
  TaskStatus,
} from '../contracts/index.ts';
import { RlmError } from '../errors.ts';

/** Workers at once unless the caller says otherwise. */
export const MAX_INFLIGHT = 4;

export interface ReadyOptions {
  stage: TaskMode;
  maxInflight?: number;
  /** Tasks whose id begins with `join-` are held back without it. */
  allowJoin?: boolean;
  /** Without it nothing starts while any worker is in flight. */
  allowRefill?: boolean;
  /** Tasks that a driver at work was asked for and has not launched yet: as good as in flight. */
  pending?: ReadonlySet<string>;
}

/**
 * Why a task is not started:
 *
 * - `done`, `retried`: its report is accepted, or other tasks retry it
 * - `inflight`, `failed`: it was launched; a failed one is retried under a new id
 * - `stage`: it belongs to the other stage
 * - `dependency`: `detail` names the dependencies without an accepted report, with their states
 * - `join_gate`, `inflight_gate`, `cap`, `budget`: it could start, and a rule holds it back
 */
type WaitReason =
  | 'done'
  | 'retried'
  | 'inflight'
  | 'failed'
  | 'stage'
  | 'dependency'
  | 'join_gate'
  | 'inflight_gate'
  | 'cap'
  | 'budget';

export interface ReadyTasks {
  /** To be launched now, in the plan's order. */
  ready: Task[];
  waiting: { worker_id: string; reason: WaitReason; detail: string }[];
  inflight: number;
}

/** Which tasks may start, and for every other one why not. Pure: `state` was read from disk before. */
export function readyTasks(plan: Plan, state: ReduceState, options: ReadyOptions): ReadyTasks {
  const status = new Map(state.tasks.map((task) => [task.worker_id, task]));
  const pending = options.pending?.size ?? 0;
  const inflight = pending + state.tasks.filter((task) => task.running).length;
  const launched = pending + state.tasks.filter((task) => task.launched).length;
  const cap = options.maxInflight ?? MAX_INFLIGHT;
  const maxWorkers = plan.budget.max_workers;
  const ready: Task[] = [];
  const waiting: ReadyTasks['waiting'] = [];
  for (const task of plan.tasks) {
    const held = notEligible(task, status, options);
    if (held !== undefined) waiting.push({ worker_id: task.worker_id, ...held });
    else if (inflight > 0 && options.allowRefill !== true) {
      waiting.push({
        worker_id: task.worker_id,
        reason: 'inflight_gate',
        detail: `${inflight} in flight, and allow_refill_while_inflight is off`,
      });
    } else if (maxWorkers !== undefined && launched + ready.length >= maxWorkers) {
      waiting.push({
        worker_id: task.worker_id,
        reason: 'budget',
        detail: `budget.max_workers ${maxWorkers} is used up`,
      });
    } else if (inflight + ready.length >= cap) {
      waiting.push({ worker_id: task.worker_id, reason: 'cap', detail: `max_inflight ${cap} is reached` });
    } else ready.push(task);
  }
  return { ready, waiting, inflight };
}

/** Dependencies named in a reason, at most: a join of 5,000 tasks must not list them all. */
const NAMED_DEPENDENCIES = 5;

function notEligible(
  task: Task,
  status: ReadonlyMap<string, TaskStatus>,
  options: ReadyOptions,
): { reason: WaitReason; detail: string } | undefined {
  const own = status.get(task.worker_id);
  if (own?.state === 'ok') return { reason: 'done', detail: 'its report is accepted' };
  if (own?.running)
    return { reason: 'inflight', detail: own.state === 'stale' ? 'running, and silent for long' : 'running' };
  if (options.pending?.has(task.worker_id)) return { reason: 'inflight', detail: 'handed to the driver' };
  if (own !== undefined && own.retried_by.length > 0) {
    return { reason: 'retried', detail: `retried by ${named(own.retried_by)}` };
  }
  if (own?.launched) {
    return {
      reason: 'failed',
      detail: `${own.state}${own.failure_class === null ? '' : ` (${own.failure_class})`}; retry it under a new id`,
    };
  }
  if (task.mode !== options.stage) return { reason: 'stage', detail: `a ${task.mode} task` };
  const missing = task.depends_on.filter((id) => status.get(id)?.satisfied !== true);
  if (missing.length > 0) {
    return {
      reason: 'dependency',
      detail: named(missing.map((id) => `${id} (${status.get(id)?.state ?? 'unknown'})`)),
    };
  }
  if (task.worker_id.startsWith('join-') && options.allowJoin !== true) {
    return { reason: 'join_gate', detail: 'a join task starts only with allow_join' };
  }
  return undefined;
}

function named(ids: readonly string[]): string {
  const more = ids.length - NAMED_DEPENDENCIES;
  return `${ids.slice(0, NAMED_DEPENDENCIES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

export interface RetryChange {
  /** The new id; `<original>-r<n>` unless given. */
  workerId?: string;
  granularity?: Granularity;
  computeTier?: ComputeTier;
  goal?: string;
}

/**
 * The task that retries another one: same work, new id and report, lineage in `retry_of`. It becomes part of the
 * plan through `revisePlan`. (A split is several tasks with the same `retry_of`, given to `revisePlan` directly.)
 *
 * @throws RlmError `conflict` when the task runs, is accepted, or was retried already
 */
export function retryTask(
  plan: Plan,
  state: ReduceState,
  workerId: string,
  change: RetryChange = {},
): TaskInput {
  const task = plan.tasks.find((candidate) => candidate.worker_id === workerId);
  const status = state.tasks.find((candidate) => candidate.worker_id === workerId);
  if (task === undefined || status === undefined) {
    throw new RlmError('not_found', `no task '${workerId}' in the plan of ${plan.run_id}`);
  }
  if (status.running) {
    throw new RlmError('conflict', `task '${workerId}' is still running`, {
      hint: 'Wait for it, or cancel the run first.',
    });
  }
  if (status.state === 'ok') {
    throw new RlmError('conflict', `task '${workerId}' has an accepted report`, {
      hint: 'For another opinion add a verify task.',
    });
  }
  const [retry] = status.retried_by;
  if (retry !== undefined) {
    throw new RlmError(
      'conflict',
      `task '${workerId}' was retried already, by ${status.retried_by.join(', ')}`,
      {
        hint: `Retry '${retry}' instead.`,
      },
    );
  }
  const { report_path: _report, ...same } = task;
  return {
    ...same,
    worker_id: change.workerId ?? nextId(plan, workerId),
    goal: change.goal ?? task.goal,
    granularity: change.granularity ?? task.granularity,
    compute_tier: change.computeTier ?? task.compute_tier,
    retry_of: workerId,
  };
}

/** The tasks from the first of a lineage to this one. */
export function lineage(plan: Plan, workerId: string): string[] {
  const chain: string[] = [];
  let id: string | undefined = workerId;
  while (id !== undefined && !chain.includes(id)) {
    chain.unshift(id);
    const at: string = id;
    id = plan.tasks.find((task) => task.worker_id === at)?.retry_of;
  }
  return chain;
}

function nextId(plan: Plan, workerId: string): string {
  const taken = new Set(plan.tasks.map((task) => task.worker_id));
  const original = lineage(plan, workerId)[0] ?? workerId;
  let n = 1;
  while (taken.has(`${original}-r${n}`)) n += 1;
  return `${original}-r${n}`;
}

/** What to do about a task that has no accepted report. */
interface Suggestion {
  action: RetryAction;
  why: string;
}

/** What is known of how a task ended. */
interface TaskEnd {
  state: ReportState;
  running: boolean;
  failure: FailureClass | null;
  message: string | null;
  /** The kind of worker that was launched. */
  worker: string | undefined;
}

/**
 * Granularity and tier are two axes: broad work is split, narrow work gets a stronger worker, and at the end of both
 * the user is asked for another model. A command has no tiers.
 */
export function suggestRetry(task: Task, end: TaskEnd): Suggestion | undefined {
  switch (end.state) {
    case 'ok':
    case 'inflight':
      return undefined;
    case 'changed':
      return { action: 'retry', why: 'Its report was changed after it was accepted: restore it, or retry.' };
    case 'stale':
      return end.running
        ? { action: 'wait', why: 'It runs and has written nothing for long; cancel it if it blocks the run.' }
        : smallerOrStronger(task, end, 'It left an old report as it was.');
    case 'missing':
      return smallerOrStronger(task, end, 'It ended without a report.');
    case 'empty':
      return smallerOrStronger(task, end, 'Its report is empty.');
    case 'failed':
      return byFailure(task, end);
  }
}

function byFailure(task: Task, end: TaskEnd): Suggestion {
  switch (end.failure) {
    case 'quota':
      return { action: 'fix_first', why: 'The allowance is used up; wait for its reset.' };
    case 'auth':
    case 'config':
      return { action: 'fix_first', why: 'No attempt can succeed before that is fixed.' };
    case 'budget':
      return { action: 'fix_first', why: 'A limit of the run was reached; raise it or finish.' };
    case 'throttled':
    case 'server':
    case 'network':
      return { action: 'retry', why: 'A transient error.' };
    case 'crashed':
      return { action: 'retry', why: 'The worker died.' };
    case 'cancelled':
      return { action: 'retry', why: 'It was cancelled.' };
    case 'timeout':
    case 'overflow':
      return task.granularity === 'micro'
        ? smallerOrStronger(task, end, 'Too much for one worker.')
        : { action: 'split', why: 'Too much for one worker: 2 to 6 smaller tasks, and a join if needed.' };
    default:
      return { action: 'retry', why: `Its report was not accepted: ${end.message ?? 'see its log'}.` };
  }
}

function smallerOrStronger(task: Task, { worker }: TaskEnd, why: string): Suggestion {
  if (worker === 'command') return { action: 'retry', why: `${why} See the log of the command.` };
  if (task.granularity === 'macro') return { action: 'split', why: `${why} Split it into smaller tasks.` };
  if (task.compute_tier !== 'heavy')
    return { action: 'upgrade_tier', why: `${why} Retry with a higher tier.` };
  if (task.granularity === 'meso')
    return { action: 'split', why: `${why} The tier is the highest already; split it.` };
  return { action: 'ask_user', why: `${why} It is small, and the tier the highest: ask for another model.` };
}
