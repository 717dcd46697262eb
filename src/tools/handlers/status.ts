import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PlanStatus } from '../../contracts/index.ts';
import { RUN_FILES } from '../../contracts/index.ts';
import { readPlanStatus } from '../../mapreduce/index.ts';
import { readReport, rowsOfOnePage } from '../../resources/index.ts';
import { listRuns, type RunHandle } from '../../runs/index.ts';
import { truncate } from '../../text/index.ts';
import type { status } from '../status.ts';
import type { Handler } from '../tool.ts';

export const handleStatus: Handler<typeof status> = async (input, context) => {
  if (input.run_id !== undefined) {
    const run = context.openRun(input.run_id);
    const tasks = await tasksOf(run);
    return { run: { ...(await readReport(run)), ...(tasks === undefined ? {} : { tasks }) } };
  }
  const list = listRuns(context.root, { cursor: input.cursor, limit: input.limit });
  const rows = list.runs.map((run) => ({ ...run, title: truncate(run.title, 100) }));
  const page = rowsOfOnePage(rows);
  return {
    runs: page,
    total: list.total,
    next_cursor: page.length < rows.length ? (page.at(-1)?.run_id ?? null) : list.next_cursor,
  };
};

/** The tasks of a plan; undefined for another run, and for one whose plan was never written. */
async function tasksOf(run: RunHandle): Promise<PlanStatus | undefined> {
  if (run.record.kind !== 'plan') return undefined;
  return existsSync(join(run.dir, RUN_FILES.plan)) ? readPlanStatus(run.record.root, run) : undefined;
}
