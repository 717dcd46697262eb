import { z } from 'zod';
import { ProcessIdentity } from '../files/index.ts';
import { TaskMode, WorkerId } from './plan.ts';
import { FailureClass, RunId, SCHEMA_VERSION } from './run.ts';

/** One launch of a task: written before the worker does anything, completed when it has ended. */
export const LaunchRecord = z.object({
  worker_id: WorkerId,
  attempt: z.int().positive(),
  /** The kind of worker, such as `codex` or `command`. */
  worker: z.string().optional(),
  /** The worker's own process; all three absent while it has none (a thread of a shared process). */
  host: z.string().optional(),
  pid: z.int().positive().optional(),
  start: z.string().optional(),
  /** Who launched it and records its end. While it lives, a launch without a process is still running. */
  driver: ProcessIdentity.optional(),
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  exit_code: z.int().nullable(),
  failure_class: FailureClass.nullable(),
  /** One line, for people; never the worker's output. */
  failure_message: z.string().max(500).nullable(),
  /** Relative to the run directory. */
  log: z.string(),
  /** What the accepted report held, so that one changed afterwards is seen. */
  report_sha256: z.string().nullable(),
});
export type LaunchRecord = z.infer<typeof LaunchRecord>;

/** `artifacts/scheduler/inflight.json`: the last launch of every task. Written by the run's driver alone. */
export const InflightFile = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  run_id: RunId,
  workers: z.array(LaunchRecord),
});
export type InflightFile = z.infer<typeof InflightFile>;

/**
 * The state of a task:
 *
 * - `ok`: an accepted report: there, newer than the task's launch, with what a report must say
 * - `changed`: a report that was accepted, and is another one now
 * - `missing`, `empty`: no report, or one without content; `launched` says whether anybody was to write it
 * - `stale`: a worker that runs and wrote nothing for the stale limit, or a report older than the launch
 * - `inflight`: a worker that runs
 * - `failed`: a worker that ended with a failure, or died, or a report that lacks what a report must say
 */
export const ReportState = z.enum(['ok', 'changed', 'missing', 'empty', 'stale', 'inflight', 'failed']);
export type ReportState = z.infer<typeof ReportState>;

export const RetryAction = z.enum(['retry', 'split', 'upgrade_tier', 'wait', 'fix_first', 'ask_user']);
export type RetryAction = z.infer<typeof RetryAction>;

/** What a verify task found about the statements it was given. */
export const Verdict = z.enum(['confirmed', 'refuted', 'undecided']);
export type Verdict = z.infer<typeof Verdict>;

/** Longest failure message of a task in a state or result, in characters. */
export const TASK_MESSAGE_CHARS = 160;

/** One task in the inventory: sizes, ages and states, never a report's text. */
export const TaskStatus = z.object({
  worker_id: WorkerId,
  mode: TaskMode,
  state: ReportState,
  launched: z.boolean(),
  running: z.boolean(),
  launched_at: z.iso.datetime().nullable(),
  /** When its report was accepted, or written by somebody who was not launched for it; null unless it is `ok`. */
  accepted_at: z.iso.datetime().nullable(),
  report_path: z.string(),
  size_bytes: z.int().nonnegative().nullable(),
  /** Seconds since the report was last written. */
  age_sec: z.number().nullable(),
  /** Of an accepted verify report. */
  verdict: Verdict.nullable(),
  failure_class: FailureClass.nullable(),
  /** What went wrong, in a line. */
  failure_message: z.string().max(TASK_MESSAGE_CHARS).nullable(),
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
  changed: z.int().nonnegative(),
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

/** The tasks of a plan, for the status of its run: states, ages and processes, never a word of a report. */
export const PlanStatus = z.object({
  plan_iteration: z.int(),
  total: z.int(),
  counts: StateCounts.omit({ missing: true, empty: true }),
  not_launched: z.int(),
  satisfied: z.int().describe('With an accepted report, or whose retries all have one'),
  inflight: z
    .array(
      z.object({
        worker_id: z.string(),
        mode: TaskMode,
        pid: z.int().nullable(),
        started_at: z.string(),
        state: ReportState,
        report_age_sec: z.number().nullable(),
        progress_notes: z.int().describe('Lines under "Progress" in its draft'),
        draft: z.string().describe('Its report so far; relative to the root'),
      }),
    )
    .describe('The 4 longest at most'),
  failed: z
    .array(
      z.object({
        worker_id: z.string(),
        state: ReportState,
        failure_class: FailureClass.nullable(),
        error: z.string().nullable().describe('What went wrong, in a line'),
        exit_code: z.int().nullable(),
      }),
    )
    .describe('And not retried: the 4 newest at most'),
  failed_total: z.int(),
  orchestrator: z
    .object({ pid: z.int(), host: z.string(), alive: z.enum(['yes', 'no', 'unknown']), stale: z.boolean() })
    .nullable()
    .describe("Who holds the run's lock"),
});
export type PlanStatus = z.infer<typeof PlanStatus>;

/** Longest text of one field, in characters: reports are a worker's words, and untrusted. */
export const DEFERRED_FIELD_CHARS = 500;

/** A good idea that was out of scope, as a worker wrote it down. */
export const DeferredItem = z.object({
  worker_id: WorkerId,
  what: z.string().min(1).max(DEFERRED_FIELD_CHARS),
  why_deferred: z.string().max(DEFERRED_FIELD_CHARS).nullable(),
  how_to_validate: z.string().max(DEFERRED_FIELD_CHARS).nullable(),
  /** The report, relative to the root, and the item's first line in it. */
  path: z.string(),
  line: z.int().positive(),
});
export type DeferredItem = z.infer<typeof DeferredItem>;

/** `deferred.json`. */
export const DeferredFile = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  run_id: RunId,
  generated_at: z.iso.datetime(),
  /** `none identified`, or how many. */
  summary: z.string(),
  reports_scanned: z.int().nonnegative(),
  /** Reports that have such a section, also one that says "none". */
  reports_with_section: z.int().nonnegative(),
  /** Reports that could not be scanned, with the reason. */
  unreadable: z.array(z.object({ path: z.string(), reason: z.string() })),
  items: z.array(DeferredItem),
});
export type DeferredFile = z.infer<typeof DeferredFile>;

/** A file of state that a decision was read from, and what it held. */
const RehydratedFile = z.object({ path: z.string(), sha256: z.string() });

/** `final.json` of a map-reduce run. Paths are relative to the root. */
export const FinalReport = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  run_id: RunId,
  created_at: z.iso.datetime(),
  goal_summary: z.string().min(1),
  termination_decision: z.object({
    should_finish: z.boolean(),
    reason: z.string().min(1),
    budget_used: z.object({
      iterations: z.int().nonnegative(),
      workers: z.int().nonnegative(),
      minutes: z.number().nonnegative(),
    }),
  }),
  conclusions: z.array(z.object({ text: z.string().min(1), evidence_paths: z.array(z.string()) })),
  /** Reports that were accepted, and every file a conclusion rests on; each `path`, `path:line` or `path:first-last`. */
  evidence_paths: z.array(z.string()),
  open_questions: z.array(z.string()),
  verify: z.object({
    completed: z.boolean(),
    tasks: z.array(WorkerId),
    verdicts: z.array(z.object({ worker_id: WorkerId, verdict: Verdict })),
    /** Why there was none, when it was waived. */
    waived_because: z.string().nullable(),
  }),
  /** Tasks that ended without an accepted report: what this result does not rest on. */
  unfinished_tasks: z.array(z.object({ worker_id: WorkerId, state: ReportState })),
  deferred_opportunities: z.array(DeferredItem),
  /** Parts of the run contract that were not given: an environment baseline among them weakens the Verify results. */
  missing_contract_parts: z.array(z.string()),
  rehydrated_from: z.array(RehydratedFile),
});
export type FinalReport = z.infer<typeof FinalReport>;
