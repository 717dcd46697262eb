import { z } from 'zod';
import {
  ComputeTier,
  Granularity,
  MAX_GOAL_CHARS,
  PlanBudget,
  type RunContract,
  type Task,
  TaskMode,
} from '../contracts/index.ts';

const text = z.string().trim().min(1);
/** Not trimmed: a path may begin or end with a space. */
const path = z.string().min(1);

/** A task as the caller gives it; what is left out is filled in by `completeTask`. */
export const TaskInput = z.strictObject({
  worker_id: z
    .string()
    .describe('Deterministic id such as map-0001, join-0001 or verify-0001: a-z 0-9 . _ -, at most 64'),
  mode: TaskMode.optional().describe('map (default) or verify'),
  granularity: Granularity.optional().describe('micro, meso (default) or macro'),
  compute_tier: ComputeTier.optional().describe('standard (default), standard-plus or heavy'),
  goal: z
    .string()
    .min(1)
    .max(MAX_GOAL_CHARS)
    .describe('Outcome and constraints; reaches the worker as it is'),
  depends_on: z.array(z.string()).optional().describe('worker_ids whose accepted report this task needs'),
  inputs: z.array(path).optional().describe('Paths that its dependencies leave for it'),
  context_paths: z.array(path).optional().describe('Further paths to read'),
  hint_paths: z.array(path).optional().describe('Where to look first'),
  owned_paths: z
    .array(path)
    .optional()
    .describe(
      'Files or directories it may write, relative to the root; default none: read-only but its report',
    ),
  report_path: path.optional().describe('Default: artifacts/reports/<worker_id>.md in the run'),
  retry_of: z.string().optional().describe('The failed task it stands in for'),
});
export type TaskInput = z.infer<typeof TaskInput>;

const items = z.array(text);

/** The run contract as far as the caller knows it. A part given replaces that part. */
export const ContractInput = z.strictObject({
  goal: text.optional(),
  non_goals: items.optional(),
  scope: z.strictObject({ include: items.optional(), avoid: items.optional() }).optional(),
  invariants: items.optional(),
  sequence_rules: items.optional(),
  verification: z
    .strictObject({
      required: items.optional(),
      interpreter: text.optional(),
      environment: items.optional(),
      working_directory: text.optional(),
    })
    .optional(),
  failure_policy: items.optional(),
});
export type ContractInput = z.infer<typeof ContractInput>;

/** What a plan is made of, or changed by: in a revision, what is left out stays, and tasks are added or replaced by id. */
export const PlanInput = z.strictObject({
  goal_summary: text.max(4000).optional().describe('Required for a new plan'),
  success_criteria: items.optional(),
  budget: PlanBudget.optional(),
  hint_paths: z.array(path).optional().describe('Given to every task'),
  contract: ContractInput.optional().describe(
    'The six parts of the run contract; what is missing is asked for',
  ),
  tasks: z.array(TaskInput).max(20_000).optional().describe('Added, or replaced by worker_id'),
  remove_tasks: z.array(z.string()).optional().describe('worker_ids of tasks that were never launched'),
});
export type PlanInput = z.infer<typeof PlanInput>;

export const EMPTY_CONTRACT: RunContract = {
  goal: '',
  non_goals: [],
  scope: { include: [], avoid: [] },
  invariants: [],
  sequence_rules: [],
  verification: { required: [], interpreter: '', environment: [], working_directory: '' },
  failure_policy: [],
};

/** A contract with the given parts put in. */
export function mergeContract(old: RunContract, given: ContractInput): RunContract {
  return {
    goal: given.goal ?? old.goal,
    non_goals: given.non_goals ?? old.non_goals,
    scope: {
      include: given.scope?.include ?? old.scope.include,
      avoid: given.scope?.avoid ?? old.scope.avoid,
    },
    invariants: given.invariants ?? old.invariants,
    sequence_rules: given.sequence_rules ?? old.sequence_rules,
    verification: {
      required: given.verification?.required ?? old.verification.required,
      interpreter: given.verification?.interpreter ?? old.verification.interpreter,
      environment: given.verification?.environment ?? old.verification.environment,
      working_directory: given.verification?.working_directory ?? old.verification.working_directory,
    },
    failure_policy: given.failure_policy ?? old.failure_policy,
  };
}

/** A task with defaults in place; `reportPath` is the default of its report. Paths are not looked at yet. */
export function completeTask(input: TaskInput, reportPath: string): Task {
  return {
    worker_id: input.worker_id,
    mode: input.mode ?? 'map',
    granularity: input.granularity ?? 'meso',
    compute_tier: input.compute_tier ?? 'standard',
    goal: input.goal,
    depends_on: [...new Set(input.depends_on ?? [])],
    inputs: input.inputs ?? [],
    context_paths: input.context_paths ?? [],
    hint_paths: input.hint_paths ?? [],
    owned_paths: input.owned_paths ?? [],
    report_path: input.report_path ?? reportPath,
    ...(input.retry_of === undefined ? {} : { retry_of: input.retry_of }),
  };
}
