import { z } from 'zod';
import { ComputeTier, Granularity, type Plan, type ReduceState } from '../contracts/index.ts';
import type { TaskInput } from './plan-input.ts';

/** Topics of a verify stage, at most (CONTRACTS.md D). */
export const MAX_VERIFY_TOPICS = 5;

const text = z.string().trim().min(1).max(4000);
const paths = z.array(z.string().min(1)).optional();

/** What the caller wants verified, most important first. */
export const VerifyInput = z.strictObject({
  topics: z
    .array(z.strictObject({ topic: text, paths: paths.describe('Reports and files it rests on') }))
    .max(MAX_VERIFY_TOPICS)
    .optional()
    .describe('The topics with the most impact, at most 5'),
  contradictions: z
    .array(z.strictObject({ statements: z.array(text).min(2), paths }))
    .max(20)
    .optional()
    .describe('Statements of reports that cannot all be true'),
  key_claims: z
    .array(z.strictObject({ claim: text, paths }))
    .max(20)
    .optional()
    .describe('Statements the result rests on'),
  compute_tier: ComputeTier.optional().describe('Default standard-plus'),
  granularity: Granularity.optional().describe('Default micro'),
});
export type VerifyInput = z.infer<typeof VerifyInput>;

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
