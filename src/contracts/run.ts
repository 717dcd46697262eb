import { z } from 'zod';
import { ProcessIdentity } from '../files/index.ts';

/**
 * Why an attempt failed. The class alone decides what happens next (see `dispatch/policy.ts`):
 *
 * - `quota`: the account's allowance is used up; nothing more is launched until it resets
 * - `auth`, `config`: no attempt can succeed; the activity stops with the reason
 * - `throttled`, `server`, `network`: transient errors; back off, with fewer at once
 * - `timeout`: the wall or idle limit ended it
 * - `overflow`: the prompt does not fit the model's context
 * - `invalid_output`: it answered, but not what was asked for
 * - `crashed`: the worker ended without an answer and without a reason
 * - `budget`: a limit of the run was reached before the launch
 * - `cancelled`: the run was cancelled
 */
export const FailureClass = z.enum([
  'quota',
  'auth',
  'config',
  'throttled',
  'server',
  'network',
  'timeout',
  'overflow',
  'invalid_output',
  'crashed',
  'budget',
  'cancelled',
]);
export type FailureClass = z.infer<typeof FailureClass>;

export const Failure = z.object({
  class: FailureClass,
  message: z.string(),
  /** The other side said when to come back: milliseconds from now. */
  retry_after_ms: z.number().nonnegative().optional(),
  /** For `quota`: when the allowance is there again, if known. */
  resets_at: z.iso.datetime().optional(),
});
export type Failure = z.infer<typeof Failure>;

/** Tokens of one or many worker calls. `cached_input_tokens` is part of `input_tokens`, reasoning part of output. */
export const Usage = z.object({
  input_tokens: z.int().nonnegative(),
  cached_input_tokens: z.int().nonnegative(),
  output_tokens: z.int().nonnegative(),
  reasoning_output_tokens: z.int().nonnegative(),
});
export type Usage = z.infer<typeof Usage>;

export const NO_USAGE: Usage = Object.freeze({
  input_tokens: 0,
  cached_input_tokens: 0,
  output_tokens: 0,
  reasoning_output_tokens: 0,
});

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    input_tokens: a.input_tokens + b.input_tokens,
    cached_input_tokens: a.cached_input_tokens + b.cached_input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    reasoning_output_tokens: a.reasoning_output_tokens + b.reasoning_output_tokens,
  };
}

export const SCHEMA_VERSION = 1;

export const RUN_ID_PATTERN = /^[a-z0-9][a-z0-9._-]{2,63}$/;
export const RunId = z
  .string()
  .regex(RUN_ID_PATTERN, 'must be 3 to 64 of a-z 0-9 . _ -, the first of them a letter or digit');

/** The flows a run can be made for. */
export const RunKind = z.enum(['batch', 'ask', 'ingest', 'plan', 'refine', 'queue']);
export type RunKind = z.infer<typeof RunKind>;

/** `run.json`: who, what, when. Written when the run is created, and when its work is started or changed. */
export const RunRecord = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  run_id: RunId,
  kind: RunKind,
  title: z.string().max(500),
  created_at: z.iso.datetime(),
  created_by: ProcessIdentity,
  /** The server's or the command's root when the run was created: relative paths of the run start there. */
  root: z.string(),
  /** What the flow was asked to do, as of the last start or resume; the flow's own schema checks it. */
  params: z.record(z.string(), z.unknown()).optional(),
  /** Name that runs of one task share. */
  task_id: z.string().optional(),
});
export type RunRecord = z.infer<typeof RunRecord>;

/** The states of MCP tasks. */
export const ActivityState = z.enum(['working', 'input_required', 'completed', 'failed', 'cancelled']);
export type ActivityState = z.infer<typeof ActivityState>;

/** How much of a run's work was accepted; what was there already, or came from the cache, counts. */
export const Outcome = z.enum(['all', 'some', 'none']);
export type Outcome = z.infer<typeof Outcome>;

/** Assignments that failed for one class of reasons. */
export const FailureGroup = z.object({
  class: FailureClass,
  count: z.int().positive(),
  first_job: z.string(),
  /** What went wrong with the first, in a line. */
  error: z.string(),
});
export type FailureGroup = z.infer<typeof FailureGroup>;

/** Counts of an activity: a few numbers at any scale. */
export const Progress = z.object({
  total: z.int().nonnegative(),
  accepted: z.int().nonnegative(),
  /** Of the accepted and failed ones, how many were so under earlier drivers. */
  carried: z.int().nonnegative().default(0),
  failed: z.int().nonnegative(),
  /** The failed ones of this driver by their class. */
  failures: z.array(FailureGroup).default([]),
  running: z.int().nonnegative(),
  /** Accepted without a worker call: the result was in the cache. */
  cache_hits: z.int().nonnegative(),
  attempts: z.int().nonnegative(),
  usage: Usage,
  cost_usd: z.number().nonnegative().nullable(),
  /** How many may run at once now; lower than asked for after throttling. */
  concurrency: z.int().nonnegative(),
  /** A new driver has not said yet how much there is to do: these are the counts of the one before. */
  stale: z.boolean().optional(),
});
export type Progress = z.infer<typeof Progress>;

/** The outcome by the counts alone: work that did not run to its end is never `all`. */
export function outcomeOf(state: ActivityState, { total, accepted }: Progress): Outcome {
  if (state === 'completed' && accepted >= total) return 'all';
  return accepted === 0 ? 'none' : 'some';
}

/**
 * `activity.json`: what the run's driver is doing. Rewritten at every heartbeat and change of state. All of it follows
 * from `run.json` and the journal, so a lost or damaged one is rebuilt.
 */
export const ActivityRecord = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  run_id: RunId,
  kind: RunKind,
  state: ActivityState,
  /** Why it is in this state, in words, when that is not obvious. */
  reason: z.string().optional(),
  failure: Failure.optional(),
  /** How a refine loop ended, where the state does not say all. */
  ended: z.string().optional(),
  /** Of work that has ended or paused. */
  outcome: Outcome.optional(),
  created_at: z.iso.datetime(),
  started_at: z.iso.datetime().optional(),
  /** When the driver that is or was last at work took it up. */
  driver_started_at: z.iso.datetime().optional(),
  finished_at: z.iso.datetime().optional(),
  /** How often a driver took the activity up. */
  generation: z.int().nonnegative(),
  driver: ProcessIdentity.optional(),
  /** Who answers, how the calls are made (null when there is one way only), and why it is this one. */
  worker: z.object({ name: z.string(), lane: z.string().nullable(), why: z.string() }).optional(),
  /** The journal's size when the driver took the activity up: what it wrote comes after. */
  driver_offset: z.int().nonnegative().optional(),
  heartbeat_at: z.iso.datetime().optional(),
  progress: Progress.optional(),
  /** The journal's size when `progress` was counted: events after it are not in it. */
  journal_offset: z.int().nonnegative().optional(),
});
export type ActivityRecord = z.infer<typeof ActivityRecord>;
