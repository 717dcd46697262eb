import { z } from 'zod';
import { RunId, SCHEMA_VERSION } from './run.ts';
import { Budget } from './work.ts';

export const WORKER_ID_PATTERN = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** `map-0001`, `verify-0003`, `join-0001`: also the name of the worker's report and log. */
export const WorkerId = z.string().regex(WORKER_ID_PATTERN);

export const TaskMode = z.enum(['map', 'verify']);
export type TaskMode = z.infer<typeof TaskMode>;
/** How big the unit of work is. */
export const Granularity = z.enum(['micro', 'meso', 'macro']);
export type Granularity = z.infer<typeof Granularity>;
/** How strong the worker is; the configuration maps each to a model and an effort. */
export const ComputeTier = z.enum(['standard', 'standard-plus', 'heavy']);
export type ComputeTier = z.infer<typeof ComputeTier>;

/** A worker's prompt may be 1,048,576 characters: a goal leaves room for the envelope and its escapes. */
export const MAX_GOAL_CHARS = 400_000;

/** One task of a plan. Paths are relative to the root. */
export const Task = z.strictObject({
  worker_id: WorkerId,
  mode: TaskMode,
  granularity: Granularity,
  compute_tier: ComputeTier,
  goal: z.string().min(1).max(MAX_GOAL_CHARS),
  /** Tasks whose accepted report this one needs. */
  depends_on: z.array(WorkerId),
  /** Files that its dependencies leave for it. */
  inputs: z.array(z.string().min(1)),
  context_paths: z.array(z.string().min(1)),
  hint_paths: z.array(z.string().min(1)),
  /** Files and directories it may write; none: it writes its report alone. */
  owned_paths: z.array(z.string().min(1)),
  report_path: z.string().min(1),
  /** The failed task that it retries. Several tasks that retry the same one are its parts: all are needed. */
  retry_of: WorkerId.optional(),
});
export type Task = z.infer<typeof Task>;

/** Null until it is given; empty when there is none. */
const list = z.array(z.string()).nullable();

/** The structured source of `run_contract.md`: six parts, each of which may be empty and is then asked for. */
export const RunContract = z.strictObject({
  goal: z.string(),
  non_goals: list,
  scope: z.strictObject({ include: list, avoid: list }),
  invariants: list,
  sequence_rules: list,
  verification: z.strictObject({
    required: list,
    /** The environment baseline: without it Verify results have no authority. */
    interpreter: z.string(),
    environment: list,
    working_directory: z.string(),
  }),
  failure_policy: list,
});
export type RunContract = z.infer<typeof RunContract>;

/** `max_iterations` bounds the rounds of new map work; retries and verify tasks are no new round. */
export const PlanBudget = Budget.extend({
  max_iterations: z.int().positive().optional().describe('Rounds of new map tasks, at most'),
});
export type PlanBudget = z.infer<typeof PlanBudget>;

/** `plan.json`. The plan before each revision is kept as `artifacts/plan.iter-<iteration>.json`. */
export const Plan = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  run_id: RunId,
  /** From 1; each revision adds one. */
  iteration: z.int().positive(),
  /** Rounds of map work so far, from 1. */
  rounds: z.int().positive(),
  created_at: z.iso.datetime(),
  revised_at: z.iso.datetime(),
  goal_summary: z.string().min(1),
  success_criteria: z.array(z.string()),
  budget: PlanBudget,
  hint_paths: z.array(z.string()),
  contract: RunContract,
  tasks: z.array(Task),
});
export type Plan = z.infer<typeof Plan>;

const text = z.string().trim().min(1);
/** Not trimmed: a path may begin or end with a space. */
const path = z.string().min(1);

/** Not trimmed, but not blank either. */
const goalText = z.string().regex(/\S/, 'must not be blank').max(MAX_GOAL_CHARS);

/** A task as the caller gives it; what it does not say gets its default. */
export const TaskInput = z.strictObject({
  worker_id: z
    .string()
    .describe('Deterministic id such as map-0001, join-0001 or verify-0001: a-z 0-9 . _ -, at most 64'),
  mode: TaskMode.optional().describe('map (default) or verify'),
  granularity: Granularity.optional().describe('micro, meso (default) or macro'),
  compute_tier: ComputeTier.optional().describe('standard (default), standard-plus or heavy'),
  goal: goalText.describe('Outcome and constraints; reaches the worker as it is'),
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
  retry_of: z.string().optional().describe('The failed task that it retries'),
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

/** What a plan is made of, or changed by: in a revision, what is not given stays, and tasks are added or replaced by id. */
export const PlanInput = z.strictObject({
  goal_summary: text.max(4000).optional().describe('Required for a new plan'),
  success_criteria: items.optional().describe('When the goal is reached'),
  budget: PlanBudget.optional().describe('Limits of the whole run; none by default'),
  hint_paths: z.array(path).optional().describe('Given to every task'),
  contract: ContractInput.optional().describe(
    'The six parts of the run contract; what is missing is asked for, [] means none. goal defaults to goal_summary',
  ),
  tasks: z.array(TaskInput).max(20_000).optional().describe('Added, or replaced by worker_id'),
  remove_tasks: z.array(z.string()).optional().describe('worker_ids of tasks that were never launched'),
});
export type PlanInput = z.infer<typeof PlanInput>;

/** Topics of a verify stage, at most. */
const MAX_VERIFY_TOPICS = 5;

const statement = text.max(4000);
const paths = z.array(path).optional();

/** What the caller wants verified, most important first. */
export const VerifyInput = z.strictObject({
  topics: z
    .array(z.strictObject({ topic: statement, paths: paths.describe('Reports and files it rests on') }))
    .max(MAX_VERIFY_TOPICS)
    .optional()
    .describe('The topics with the most impact, at most 5'),
  contradictions: z
    .array(z.strictObject({ statements: z.array(statement).min(2), paths }))
    .max(20)
    .optional()
    .describe('Statements of reports that cannot all be true'),
  key_claims: z
    .array(z.strictObject({ claim: statement, paths }))
    .max(20)
    .optional()
    .describe('Statements the result rests on'),
  compute_tier: ComputeTier.optional().describe('Default standard-plus'),
  granularity: Granularity.optional().describe('Default micro'),
});
export type VerifyInput = z.infer<typeof VerifyInput>;

const conclusion = text.max(20_000);
const evidencePath = z
  .string()
  .min(1)
  .max(4096)
  .describe('path, path:line or path:first-last, under the root');

export const FinalInput = z.strictObject({
  conclusions: z
    .array(z.strictObject({ text: conclusion, evidence_paths: z.array(evidencePath).optional() }))
    .min(1)
    .max(500)
    .describe('What was found, each with what it rests on'),
  termination_decision: z.strictObject({
    should_finish: z
      .boolean()
      .describe('False when the run stops short of its goal, such as at the end of its budget'),
    reason: conclusion,
  }),
  evidence_paths: z
    .array(evidencePath)
    .max(2000)
    .optional()
    .describe('Further evidence; accepted reports are included anyway'),
  open_questions: z.array(conclusion).max(200).optional(),
  waive_verify: conclusion.optional().describe('Why there is no completed verify stage; kept in final.json'),
});
export type FinalInput = z.infer<typeof FinalInput>;
