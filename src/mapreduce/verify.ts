import type { Plan, ReduceState, TaskInput, VerifyInput } from '../contracts/index.ts';

/** Verify tasks of the list, with ids `verify-0001`… that the plan does not have yet. For `revisePlan`. */
export function verifyTasks(plan: Plan, input: VerifyInput): TaskInput[] {
  const goals: { goal: string; paths: string[] }[] = [
    ...(input.topics ?? []).map(({ topic, paths = [] }) => ({
      goal: `Verify this topic independently: check each statement the reports make about it against the sources themselves.\n\nTopic: ${topic}`,
      paths,
    })),
    ...(input.contradictions ?? []).map(({ statements, paths = [] }) => ({
      goal: `These statements contradict each other. Find out from the sources which of them holds, and under which conditions:\n\n${statements.map((s, at) => `${at + 1}. ${s}`).join('\n')}`,
      paths,
    })),
    ...(input.key_claims ?? []).map(({ claim, paths = [] }) => ({
      goal: `Try to refute this claim. Say whether it is confirmed, refuted or undecided, each with evidence:\n\n${claim}`,
      paths,
    })),
  ];
  const taken = new Set(plan.tasks.map((task) => task.worker_id));
  let number = 0;
  return goals.map(({ goal, paths }) => {
    do number += 1;
    while (taken.has(verifyId(number)));
    return {
      worker_id: verifyId(number),
      mode: 'verify',
      granularity: input.granularity ?? 'micro',
      compute_tier: input.compute_tier ?? 'standard-plus',
      goal: `${goal}\n\nState the interpreter and environment of every command you run.`,
      hint_paths: paths,
    };
  });
}

function verifyId(number: number): string {
  return `verify-${String(number).padStart(4, '0')}`;
}

/** Whether the verify stage is over: there are verify tasks, and each has an accepted report or accepted retries. */
export function verifyStage(state: ReduceState): { completed: boolean; tasks: string[]; open: string[] } {
  const tasks = state.tasks.filter((task) => task.mode === 'verify');
  // A failed task that others retry is open only through those.
  const open = tasks.filter((task) => !task.satisfied && task.retried_by.length === 0);
  return {
    completed: tasks.length > 0 && open.length === 0,
    tasks: tasks.map((task) => task.worker_id),
    open: open.map((task) => task.worker_id),
  };
}
