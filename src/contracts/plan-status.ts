import { z } from 'zod';
import { FailureClass } from './failure.ts';
import { TaskMode } from './plan.ts';
import { ReportState, StateCounts } from './reduce-state.ts';

/** The tasks of a plan, for the status of its run: states, ages and processes, never a word of a report. */
export const PlanStatus = z.object({
  plan_iteration: z.int(),
  total: z.int(),
  counts: StateCounts,
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
