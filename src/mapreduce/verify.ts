import type { Plan, ReduceState, TaskInput, Verdict, VerifyInput } from '../contracts/index.ts';

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
      goal: `${goal}\n\nState the interpreter and environment of every command you run. End with a line "Verdict: confirmed", "Verdict: refuted" or "Verdict: undecided".`,
      hint_paths: paths,
    };
  });
}

function verifyId(number: number): string {
  return `verify-${String(number).padStart(4, '0')}`;
}

/** How often each verdict was given. */
export function countVerdicts(verdicts: VerifyStage['verdicts']): Record<Verdict, number> {
  const counts = { confirmed: 0, refuted: 0, undecided: 0 };
  for (const { verdict } of verdicts) counts[verdict] += 1;
  return counts;
}

/** What the verify stage of a run has come to. */
export interface VerifyStage {
  completed: boolean;
  /** All verify tasks. */
  tasks: string[];
  /** Verify tasks without an accepted report, or accepted retries. */
  open: string[];
  /** Map tasks whose reports were accepted after the last verify task was launched: nobody has verified them. */
  unverified: string[];
  verdicts: { worker_id: string; verdict: Verdict }[];
}

/**
 * Whether the verify stage is over: each verify task has an accepted report or accepted retries, and the last of
 * them was launched when the last map report had been accepted.
 */
export function verifyStage(state: ReduceState): VerifyStage {
  const tasks = state.tasks.filter((task) => task.mode === 'verify');
  // A failed task that others retry is open only through those.
  const open = tasks.filter((task) => !task.satisfied && task.retried_by.length === 0);
  const accepted = tasks.filter((task) => task.state === 'ok');
  const last =
    accepted
      .map((task) => task.launched_at ?? task.accepted_at ?? '')
      .sort()
      .at(-1) ?? '';
  const reported = state.tasks.filter((task) => task.mode === 'map' && task.state === 'ok');
  const unverified = reported.filter((task) => (task.accepted_at ?? '') > last);
  return {
    completed: tasks.length > 0 && open.length === 0 && reported.length > 0 && unverified.length === 0,
    tasks: tasks.map((task) => task.worker_id),
    open: open.map((task) => task.worker_id),
    unverified: unverified.map((task) => task.worker_id),
    verdicts: accepted.flatMap(({ worker_id, verdict }) =>
      verdict === null ? [] : [{ worker_id, verdict }],
    ),
  };
}
