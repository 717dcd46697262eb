import { z } from 'zod';
import { ActivityState, Outcome, PlanStatus, RunId, RunKind } from '../contracts/index.ts';
import { NextSteps, RefineSummary, RunReport } from '../resources/index.ts';
import { runIdInput } from './inputs.ts';
import { defineTool } from './tool.ts';

const RunRow = z.object({
  run_id: RunId,
  kind: z.string(),
  title: z.string(),
  state: z
    .enum([...ActivityState.options, 'idle', 'unreadable'])
    .describe('idle: nothing was started in it; unreadable: its records are damaged'),
  outcome: Outcome.nullable().describe('How much of the work was accepted'),
  created_at: z.string(),
  crashed: z.literal(true).optional().describe('Its driver crashed: rlm_resume goes on with it'),
});

/** One run in a few numbers, or the newest runs. */
export const status = defineTool({
  name: 'rlm_status',
  title: 'Status of a run, or list of runs',
  description:
    'Shows the state, progress, failures, tokens and cost of a run (batch, map-reduce, question) and what to do next. Without run_id lists the runs, newest first. Always small; of a finished question also the answer.',
  input: z.object({
    run_id: runIdInput.optional(),
    limit: z
      .int()
      .min(1)
      .max(100)
      .default(20)
      .describe('Runs a page at most, when listing: 1 to 100, default 20'),
    kind: RunKind.optional().describe('Only runs of this kind, when listing'),
    state: z
      .enum([...ActivityState.options, 'idle', 'unreadable'])
      .optional()
      .describe('Only runs in this state, when listing'),
    task: z.string().max(100).optional().describe('Only runs of this task (see rlm_refine), when listing'),
    summary: z
      .boolean()
      .default(false)
      .describe(
        'Refine runs as numbers instead of rows: how many, share that passed, median iterations to pass; default false',
      ),
    cursor: z.string().max(64).optional().describe('next_cursor of the page before, when listing'),
  }),
  example: { run_id: 'my-run' },
  output: z.object({
    run: RunReport.extend({
      tasks: PlanStatus.optional().describe('Of a map-reduce run: states, workers in flight'),
      tasks_error: z.string().optional().describe('Why its plan or launches cannot be read'),
    })
      .optional()
      .describe('The run, when run_id was given'),
    runs: z.array(RunRow).optional().describe('The page of runs, when it was not'),
    total: z.int().optional().describe('Runs in all'),
    summary: RefineSummary.optional().describe('Of the refine runs, when it was asked for'),
    next: NextSteps.optional().describe('Of the list: what to do about crashed runs'),
    next_cursor: z.string().nullable().optional().describe('Give this as cursor for more; null at the end'),
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: {
    positional: ['run_id'],
    // Over MCP rlm://runs{?state,kind} does the same.
    only: ['kind', 'state', 'task', 'summary'],
    examples: ['status my-run --watch', 'status my-run --json'],
  },
});
