import { z } from 'zod';
import { ProcessIdentity } from '../files/index.ts';
import { FailureClass } from './failure.ts';
import { WorkerId } from './plan.ts';
import { RunId, SCHEMA_VERSION } from './run.ts';

/** One launch of a task: written before the worker does anything, completed when it has ended. */
export const LaunchRecord = z.object({
  worker_id: WorkerId,
  attempt: z.int().positive(),
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
