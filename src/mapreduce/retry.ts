import type { ComputeTier, Granularity, Plan, ReduceState, TaskInput } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';

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
