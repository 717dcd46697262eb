import type { Plan, ReduceState, Task, TaskMode, TaskStatus } from '../contracts/index.ts';

/** Workers at once unless the caller says otherwise (CONTRACTS.md D). */
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
 * - `done`, `retried`: its report is accepted, or other tasks stand in for it
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

/** Which tasks may start, and for every other one why not. Pure: `state` is a look at the disk. */
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
