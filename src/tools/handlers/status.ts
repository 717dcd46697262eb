import { readReport, readTasks, rowsOfOnePage, summarizeRefine } from '../../resources/index.ts';
import { listRuns } from '../../runs/index.ts';
import { truncate } from '../../text/index.ts';
import type { status } from '../status.ts';
import type { Handler } from '../tool.ts';

export const handleStatus: Handler<typeof status> = async (input, context) => {
  if (input.run_id !== undefined) {
    const run = context.openRun(input.run_id);
    return { run: { ...(await readReport(run)), ...(await readTasks(run)) } };
  }
  const { cursor, limit, kind, state, task } = input;
  if (input.summary) return { summary: summarizeRefine(context.root, { task }) };
  const list = listRuns(context.root, { cursor, limit, kind, state, task });
  const rows = list.runs.map((run) => ({ ...run, title: truncate(run.title, 100) }));
  const page = rowsOfOnePage(rows);
  const next = page
    .filter(({ crashed }) => crashed)
    .slice(0, 3)
    .map(({ run_id }) => ({
      tool: 'rlm_resume' as const,
      args: { run_id },
      why: 'Its driver crashed: goes on with it.',
    }));
  return {
    runs: page,
    ...(next.length === 0 ? {} : { next }),
    total: list.total,
    next_cursor: page.length < rows.length ? (page.at(-1)?.run_id ?? null) : list.next_cursor,
  };
};
