import { z } from 'zod';
import { FailureClass } from './failure.ts';
import { TaskMode } from './plan.ts';
import { ReportState, StateCounts } from './reduce-state.ts';

/** How the tasks of a run stand, for its status: states, ages and processes, never a word of a report. */
export const TaskBoard = z.object({
  plan_iteration: z.int(),
  total: z.int(),
  counts: StateCounts.describe('Tasks by state; missing includes those not launched yet'),
  not_launched: z.int(),
  satisfied: z.int().describe('With an accepted report, or whose retries all have one'),
  inflight: z
    .array(
      z.object({
        worker_id: z.string(),
        mode: TaskMode,
        pid: z.int().nullable(),
        started_at: z.string(),
        state: ReportState.describe('stale: it runs and has been silent for long'),
        report_age_sec: z
          .number()
          .nullable()
          .describe('Since its report was last written; null: no report yet'),
      }),
    )
    .describe('Workers that run, the longest first; at most 4, counts say how many'),
  failed: z
    .array(
      z.object({
        worker_id: z.string(),
        state: ReportState,
        failure_class: FailureClass.nullable(),
        exit_code: z.int().nullable(),
      }),
    )
    .describe('Launched, over, not accepted and not retried, the newest first; at most 4'),
  failed_total: z.int(),
  orchestrator: z
    .object({ pid: z.int(), host: z.string(), alive: z.enum(['yes', 'no', 'unknown']), stale: z.boolean() })
    .nullable()
    .describe("Who holds the run's lock"),
});
export type TaskBoard = z.infer<typeof TaskBoard>;
