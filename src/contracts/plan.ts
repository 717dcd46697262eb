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

/** The structured source of `run_contract.md`: six parts, each of which may be empty and is then asked for. */
export const RunContract = z.strictObject({
  goal: z.string(),
  non_goals: z.array(z.string()),
  scope: z.strictObject({ include: z.array(z.string()), avoid: z.array(z.string()) }),
  invariants: z.array(z.string()),
  sequence_rules: z.array(z.string()),
  verification: z.strictObject({
    required: z.array(z.string()),
    /** The environment baseline: without it Verify results have no authority. */
    interpreter: z.string(),
    environment: z.array(z.string()),
    working_directory: z.string(),
  }),
  failure_policy: z.array(z.string()),
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
