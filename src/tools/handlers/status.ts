import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PlanStatus } from '../../contracts/index.ts';
import { RUN_FILES } from '../../contracts/index.ts';
import { RlmError } from '../../errors.ts';
import { readPlanStatus } from '../../mapreduce/index.ts';
import { readReport, rowsOfOnePage, summarizeRefine } from '../../resources/index.ts';
import { listRuns, type RunHandle } from '../../runs/index.ts';
import { truncate } from '../../text/index.ts';
import type { status } from '../status.ts';
import type { Handler } from '../tool.ts';

export const handleStatus: Handler<typeof status> = async (input, context) => {
  if (input.run_id !== undefined) {
    const run = context.openRun(input.run_id);
    return { run: { ...(await readReport(run)), ...tasksOf(run) } };
  }
  const { cursor, limit, kind, state, task } = input;
  if (input.summary) return { summary: summarizeRefine(context.root, { task }) };
  const list = listRuns(context.root, { cursor, limit, kind, state, task });
  const rows = list.runs.map((run) => ({ ...run, title: truncate(run.title, 100) }));
  const page = rowsOfOnePage(rows);
  return {
    runs: page,
    total: list.total,
    next_cursor: page.length < rows.length ? (page.at(-1)?.run_id ?? null) : list.next_cursor,
  };
};

/** The tasks of a plan, or why they cannot be read; nothing for another run, or one whose plan was never written. */
function tasksOf(run: RunHandle): { tasks?: PlanStatus; tasks_error?: string } {
  if (run.record.kind !== 'plan' || !existsSync(join(run.dir, RUN_FILES.plan))) return {};
  try {
    return { tasks: readPlanStatus(run.record.root, run) };
  } catch (error) {
    if (!(error instanceof RlmError)) throw error;
    return { tasks_error: truncate(error.message, 400) };
  }
}
