import { z } from 'zod';
import { RunId, SCHEMA_VERSION, Usage } from './run.ts';
import { WorkOptions, WorkParams } from './work.ts';

/** How a refine loop ended. */
export const RefineEnded = z.enum([
  'passed',
  'budget_complete',
  'no_validator',
  'max_iterations',
  'max_minutes',
  'budget',
  'quota',
  'stuck',
  'tampered',
  'cancelled',
  'error',
  'invalid_config',
]);
export type RefineEnded = z.infer<typeof RefineEnded>;

/** A command that says whether the goal is reached, and why it was chosen. */
export const ValidatorChoice = z.object({
  /** Of a detected candidate or of the configuration, such as `npm-test`; null for one that was typed. */
  id: z.string().nullable(),
  argv: z.array(z.string()).min(1),
  /** As a person writes it, such as `npm test`. */
  command: z.string(),
  /** Such as `node: package-lock.json`. */
  reason: z.string(),
});
export type ValidatorChoice = z.infer<typeof ValidatorChoice>;

/** Tests that a runner says it ran: skipped ones are not counted. */
export const TestCounts = z.object({ ran: z.int().nonnegative(), failed: z.int().nonnegative() });
export type TestCounts = z.infer<typeof TestCounts>;

/** One run of the validator. */
export const ValidatorRun = z.object({
  passed: z.boolean(),
  exit_code: z.int().nullable(),
  /** `wall`, `silence` or `cancelled` when it was ended by us; null when it ended by itself. */
  ended_by: z.enum(['wall', 'silence', 'output', 'cancelled']).nullable(),
  signal: z.string().nullable(),
  duration_ms: z.number().nonnegative(),
  tests: TestCounts.nullable(),
  /** Lines that name a failure, at most 20 of 200 characters. */
  failures: z.array(z.string()),
  /** The same failure has the same fingerprint, whatever its paths, numbers and times; null when it passed. */
  fingerprint: z.string().nullable(),
  /** Everything it printed, relative to the run directory. */
  output: z.string(),
});
export type ValidatorRun = z.infer<typeof ValidatorRun>;

const { parallel: _parallel, cache: _cache, ...turnOptions } = WorkOptions.shape;

/** What a caller says of a refine loop. */
export const RefineOptions = z.object({
  goal: z
    .string()
    .min(1)
    .max(20_000)
    .optional()
    .describe('What to reach, such as "Fix the failing tests"; default RLM_GOAL'),
  validator: z
    .string()
    .min(1)
    .optional()
    .describe(
      'What says that the goal is reached: auto (default), none, the id of a detected candidate such as npm-test, or a name under validators in the configuration',
    ),
  max_iterations: z
    .union([z.int().nonnegative(), z.string()])
    .optional()
    .describe('Turns of the agent, each followed by the validator; default 88; 0 or unlimited: no limit'),
  roles: z
    .enum(['single', 'triad'])
    .optional()
    .describe('triad: planner, critic and reviser take a turn each; default single'),
  task: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('Name that runs of one task share; default rlm-<directory>'),
  isolate: z
    .enum(['none', 'worktree'])
    .optional()
    .describe('worktree: work in a git worktree, and return a branch and a patch; default none'),
  candidates: z
    .int()
    .min(1)
    .max(16)
    .optional()
    .describe('Worktrees that try at once under one budget, at most 16; the first to pass wins; default 1'),
  metric: z
    .string()
    .min(1)
    .optional()
    .describe(
      'A detected id or configured name that prints a number: the best iteration is kept, worse ones are taken back',
    ),
  minimize: z.boolean().optional().describe('A lower metric is better; default false'),
  protect: z
    .array(z.string().min(1))
    .max(100)
    .optional()
    .describe(
      'Further files that turns may not change (globs); !glob allows one that is protected by default',
    ),
  stop_after_same: z
    .int()
    .nonnegative()
    .optional()
    .describe('Ends after the same failure so many times; default 3; 0: never'),
  on_tamper: z
    .enum(['restore', 'stop', 'allow'])
    .optional()
    .describe('What happens to a changed file of the validator; default restore'),
  setup: z.string().min(1).optional().describe('Command that prepares each worktree, such as "npm ci"'),
  allow_network: z.boolean().optional().describe('Let the agent use the network; default false'),
  add_dir: z
    .array(z.string().min(1))
    .max(20)
    .optional()
    .describe('Further directories that the agent may write'),
  run_id: RunId.optional().describe('Id of the new run; generated when absent'),
  ...turnOptions,
  max_minutes: z
    .number()
    .nonnegative()
    .optional()
    .describe('Minutes at most, resumes included; default 2880; 0: no limit'),
});
export type RefineOptions = z.infer<typeof RefineOptions>;

/** Fields of the above for the person at the command line. */
export const REFINE_OPERATOR_ONLY = [
  'setup',
  'allow_network',
  'add_dir',
  'on_tamper',
] as const satisfies (keyof RefineOptions)[];

/** The same with every default in place, as the run keeps it. Paths are absolute. */
export const RefineParams = WorkParams.extend({
  goal: z.string(),
  task_id: z.string(),
  validator: ValidatorChoice.nullable(),
  validator_chosen_ms: z.number().nonnegative(),
  metric: z
    .object({ argv: z.array(z.string()).min(1), command: z.string(), minimize: z.boolean() })
    .nullable(),
  max_iterations: z.int().positive().nullable(),
  roles: z.enum(['single', 'triad']),
  isolate: z.enum(['none', 'worktree']),
  candidates: z.int().positive(),
  protect: z.array(z.string()),
  on_tamper: z.enum(['restore', 'stop', 'allow']),
  stop_after_same: z.int().nonnegative(),
  setup: z.array(z.string()).nullable(),
  allow_network: z.boolean(),
  add_dirs: z.array(z.string()),
  validator_timeout_sec: z.int().positive(),
  validator_idle_sec: z.int().positive(),
});
export type RefineParams = z.infer<typeof RefineParams>;

/** A file that the validator reads and that a turn changed. */
export const TamperedFile = z.object({
  path: z.string(),
  change: z.enum(['changed', 'deleted', 'added']),
  restored: z.boolean(),
});
export type TamperedFile = z.infer<typeof TamperedFile>;

const Role = z.enum(['single', 'planner', 'critic', 'reviser']);
export type RefineRole = z.infer<typeof Role>;

/** `refine/iterations/<id>.json`: what one iteration did. Written once, when it is over. */
export const IterationRecord = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  iteration: z.int().positive(),
  candidate: z.int().positive(),
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime(),
  turns: z.array(
    z.object({
      role: Role,
      accepted: z.boolean(),
      failure: z.string().nullable(),
      duration_ms: z.number().nonnegative(),
    }),
  ),
  /** The lines that the agent ended with. */
  summary: z.string().nullable(),
  next: z.string().nullable(),
  /** Commands that the agent ran, as far as its log tells. */
  commands: z.array(z.string()),
  network: z.boolean(),
  files_changed: z.array(z.string()),
  insertions: z.int().nonnegative(),
  deletions: z.int().nonnegative(),
  /** The diff, relative to the run directory; null when nothing changed. */
  patch: z.string().nullable(),
  tampered: z.array(TamperedFile),
  validator: ValidatorRun.nullable(),
  /** Printed by the metric; null without one, or when it printed no number. */
  metric: z.number().nullable(),
  /** Whether a worse iteration was taken back (metric mode). */
  reverted: z.boolean(),
  usage: Usage,
  cost_usd: z.number().nonnegative().nullable(),
});
export type IterationRecord = z.infer<typeof IterationRecord>;

/** One line of work: the tree it works on, and how far it is. There are several with `--candidates`. */
export const RefineLine = z.object({
  candidate: z.int().positive(),
  /** Where it works, absolute: the root, or a git worktree. */
  directory: z.string(),
  iterations: z.int().nonnegative(),
  baseline: ValidatorRun.nullable(),
  last: ValidatorRun.nullable(),
  /** How often the last failure was seen after turns, in a row. */
  same_failures: z.int().nonnegative(),
  /** Iterations in a row without a change or without a word of the model. */
  no_progress: z.int().nonnegative(),
  /** What was tried and failed, at most 2 kB. */
  tried: z.array(z.string()),
  /** Tree of the snapshot before the iteration under way. */
  before_tree: z.string().nullable(),
  /** Tree after the turns of the iteration under way, once they are accepted. */
  after_turn: z.string().nullable(),
  /** Tree after the last iteration that is over. */
  tree: z.string().nullable(),
  /** Tree that the line started from, and that of its best iteration (metric mode). */
  first_tree: z.string().nullable(),
  best: z.object({ iteration: z.int(), metric: z.number(), tree: z.string() }).nullable(),
  ended: RefineEnded.nullable(),
});
export type RefineLine = z.infer<typeof RefineLine>;

/** `refine/state.json`: rewritten after each step. */
export const RefineState = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  goal: z.string(),
  task_id: z.string(),
  validator: ValidatorChoice.nullable(),
  ended: RefineEnded.nullable(),
  reason: z.string().nullable(),
  /** Milliseconds from the start of the run until the validator was chosen, and until its first result. */
  validator_chosen_ms: z.number().nullable(),
  first_signal_ms: z.number().nullable(),
  /** Time worked under all drivers so far. */
  worked_ms: z.number().nonnegative(),
  lines: z.array(RefineLine),
  /** The candidate whose work is the result. */
  winner: z.int().nullable(),
  /** Of an isolated run: the branch with the result, and its patch relative to the run directory. */
  branch: z.string().nullable(),
  patch: z.string().nullable(),
});
export type RefineState = z.infer<typeof RefineState>;
