import { z } from 'zod';
import { FailureClass, ReportState, RetryAction, StateCounts } from '../contracts/index.ts';
import { NextSteps } from '../resources/index.ts';
import { runIdInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** Writes the inventory of a run's reports. */
export const reduceInventory = defineTool({
  name: 'rlm_reduce_inventory',
  title: 'Inventory of the reports of a plan',
  description:
    'Takes the inventory of the worker reports of a map-reduce run: which are ok, missing, empty, stale, in flight or failed, and what to do about each (retry, split, upgrade the tier, wait, ask the user). Writes reduce_state.json and returns states and paths, never what a report says.',
  input: z.object({
    run_id: runIdInput,
    stale_seconds: z
      .number()
      .positive()
      .default(1200)
      .describe('Seconds of silence after which a running worker is called stale; default 1200'),
  }),
  example: { run_id: 'my-plan' },
  output: z.object({
    run_id: z.string(),
    path: z.string().describe('The whole inventory, a row a task; relative to the root'),
    plan_iteration: z.int(),
    total: z.int(),
    counts: StateCounts,
    not_launched: z.int(),
    unlaunched_reports: z.int().describe('Reports of tasks that were never launched'),
    attention: z
      .array(
        z.object({
          worker_id: z.string(),
          state: ReportState,
          running: z.boolean(),
          age_sec: z.number().nullable(),
          failure_class: FailureClass.nullable(),
          error: z.string().nullable(),
          suggestion: z.object({ action: RetryAction, why: z.string() }).nullable(),
        }),
      )
      .describe('Tasks that need a decision, as many as fit'),
    attention_skipped: z.int(),
    verify: z.object({
      completed: z.boolean(),
      tasks: z.int(),
      open: z.int(),
      unverified: z.int().describe('Map reports accepted after the last verify task was launched'),
      verdicts: z.object({ confirmed: z.int(), refuted: z.int(), undecided: z.int() }),
    }),
    reports_uri: z.string().describe('Put a worker_id behind it to read that report'),
    next: NextSteps,
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: { positional: ['run_id'] },
});
