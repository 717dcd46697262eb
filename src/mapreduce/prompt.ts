import { join } from 'node:path';
import type { Plan, Task } from '../contracts/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { draftPath } from './draft.ts';
import { fromRoot, PLAN_FILES } from './layout.ts';

/**
 * The prompt of a map or verify worker, from the one template there is (CONTRACTS.md D). It goes through a file
 * to the worker's stdin, never through a shell or an argument; goals and hint paths stand in JSON, so that any
 * text in them arrives as it was given. The report path that a worker is given is that of its draft.
 *
 * @param hintPaths of `hintPaths()`
 */
export function workerPrompt(root: string, run: RunHandle, task: Task, hintPaths: readonly string[]): string {
  const reportPath = fromRoot(root, draftPath(run, task));
  const envelope = {
    run_id: run.id,
    worker_id: task.worker_id,
    mode: task.mode,
    granularity: task.granularity,
    compute_tier: task.compute_tier,
    goal: task.goal,
    report_path: reportPath,
    hint_paths: hintPaths,
  };
  return [
    'Use the map-worker skill.',
    '$map-worker',
    '',
    'Say next to nothing in chat. Your result is the narrative report that you write to:',
    reportPath,
    '',
    'Before anything else, read and comply with the run contract:',
    fromRoot(root, join(run.dir, PLAN_FILES.contract)),
    '',
    JSON.stringify(envelope, null, 2),
    '',
  ].join('\n');
}

/**
 * Where a worker looks first: its own hints, the plan's, its inputs and context, the reports of what it depends
 * on (of the retries where those stand in), the run directory and the run contract. Each once, in this order.
 *
 * @param accepted report paths by worker id, of the tasks whose report was accepted
 */
export function hintPaths(
  root: string,
  run: RunHandle,
  plan: Plan,
  task: Task,
  accepted: ReadonlyMap<string, string>,
): string[] {
  return [
    ...new Set([
      ...task.hint_paths,
      ...plan.hint_paths,
      ...task.inputs,
      ...task.context_paths,
      ...task.depends_on.flatMap((id) => reportsOf(id, plan, accepted)),
      `${fromRoot(root, run.dir)}/`,
      fromRoot(root, join(run.dir, PLAN_FILES.contract)),
    ]),
  ];
}

function reportsOf(id: string, plan: Plan, accepted: ReadonlyMap<string, string>): string[] {
  const own = accepted.get(id);
  if (own !== undefined) return [own];
  return plan.tasks
    .filter((task) => task.retry_of === id)
    .flatMap((task) => reportsOf(task.worker_id, plan, accepted));
}
