import { z } from 'zod';
import { FailureClass } from './failure.ts';
import { TaskMode, WorkerId } from './plan.ts';
import { RunId, SCHEMA_VERSION } from './run.ts';

/**
 * The state of a task:
 *
 * - `ok`: a report that is there, not empty, and newer than the task's launch
 * - `missing`, `empty`: no report, or one without content; `launched` says whether anybody was to write it
 * - `stale`: a worker that runs and wrote nothing for the stale limit, or a report older than the launch
 * - `inflight`: a worker that runs
 * - `failed`: a worker that ended with a failure, or died
 */
export const ReportState = z.enum(['ok', 'missing', 'empty', 'stale', 'inflight', 'failed']);
export type ReportState = z.infer<typeof ReportState>;

export const RetryAction = z.enum(['retry', 'split', 'upgrade_tier', 'wait', 'fix_first', 'ask_user']);
export type RetryAction = z.infer<typeof RetryAction>;

/** One task in the inventory: sizes, ages and states, never a report's text. */
export const TaskStatus = z.object({
  worker_id: WorkerId,
  mode: TaskMode,
  state: ReportState,
  launched: z.boolean(),
  running: z.boolean(),
  report_path: z.string(),
  size_bytes: z.int().nonnegative().nullable(),
  /** Seconds since the report was last written. */
  age_sec: z.number().nullable(),
  /** The report has a section "Contract Compliance". Null without a report. */
  contract_compliance: z.boolean().nullable(),
  failure_class: FailureClass.nullable(),
  retry_of: WorkerId.nullable(),
  /** Tasks that retry this one. */
  retried_by: z.array(WorkerId),
  /** This task is `ok`, or everything that retries it is. */
  satisfied: z.boolean(),
  suggestion: z.object({ action: RetryAction, why: z.string() }).nullable(),
});
export type TaskStatus = z.infer<typeof TaskStatus>;

export const StateCounts = z.object({
  ok: z.int().nonnegative(),
  missing: z.int().nonnegative(),
  empty: z.int().nonnegative(),
  stale: z.int().nonnegative(),
  inflight: z.int().nonnegative(),
  failed: z.int().nonnegative(),
});
export type StateCounts = z.infer<typeof StateCounts>;

/** `reduce_state.json`: the inventory of a run's reports. */
export const ReduceState = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  run_id: RunId,
  generated_at: z.iso.datetime(),
  plan_iteration: z.int().positive(),
  stale_seconds: z.number().positive(),
  counts: StateCounts,
  tasks: z.array(TaskStatus),
});
export type ReduceState = z.infer<typeof ReduceState>;
