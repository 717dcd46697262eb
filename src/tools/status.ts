import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ActivityState, RunId, TaskBoard } from '../contracts/index.ts';
import { listRuns, type RunHandle } from '../runs/index.ts';
import { cut, rowsOfOnePage } from './page.ts';
import { RunReport, readReport, runIdInput } from './report.ts';
import { defineTool } from './tool.ts';

const RunRow = z.object({
  run_id: RunId,
  kind: z.string(),
  title: z.string(),
  state: z
    .enum([...ActivityState.options, 'idle', 'unreadable'])
    .describe('idle: nothing was started in it; unreadable: its records are damaged'),
  created_at: z.string(),
});

/** One run in a few numbers, or the newest runs. */
export const status = defineTool({
  name: 'rlm_status',
  title: 'Status of a run, or list of runs',
  description:
    'Shows the state, progress, failures, tokens and cost of a run (batch, map-reduce, question) and what to do next. Without run_id lists the runs, newest first. Always small: counts and paths, never results.',
  input: z.object({
    run_id: runIdInput.optional(),
    limit: z
      .int()
      .min(1)
      .max(100)
      .default(20)
      .describe('Runs a page at most, when listing: 1 to 100, default 20'),
    cursor: z.string().max(64).optional().describe('next_cursor of the page before, when listing'),
  }),
  output: z.object({
    run: RunReport.extend({
      tasks: TaskBoard.optional().describe('Of a map-reduce run: states, workers in flight'),
    })
      .optional()
      .describe('The run, when run_id was given'),
    runs: z.array(RunRow).optional().describe('The page of runs, when it was not'),
    total: z.int().optional().describe('Runs in all'),
    next_cursor: z.string().nullable().optional().describe('Give this as cursor for more; null at the end'),
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: { positional: ['run_id'], examples: ['status my-run --watch', 'status my-run --json'] },
  async run(input, context) {
    if (input.run_id !== undefined) {
      const run = context.openRun(input.run_id);
      const tasks = await tasksOf(run);
      return { run: { ...(await readReport(run)), ...(tasks === undefined ? {} : { tasks }) } };
    }
    const list = listRuns(context.root, { cursor: input.cursor, limit: input.limit });
    const rows = list.runs.map((run) => ({ ...run, title: cut(run.title, 100) }));
    const page = rowsOfOnePage(rows);
    return {
      runs: page,
      total: list.total,
      next_cursor: page.length < rows.length ? (page.at(-1)?.run_id ?? null) : list.next_cursor,
    };
  },
});

/** How the tasks of a plan stand; undefined for another run, and for one whose plan was never written. */
async function tasksOf(run: RunHandle): Promise<TaskBoard | undefined> {
  if (run.record.kind !== 'plan') return undefined;
  const { boardOf, PLAN_FILES } = await import('../mapreduce/index.ts');
  return existsSync(join(run.dir, PLAN_FILES.plan)) ? boardOf(run.record.root, run) : undefined;
}
