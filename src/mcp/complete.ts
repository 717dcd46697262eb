import { existsSync, readdirSync } from 'node:fs';
import { JobRecord, RUN_FILES } from '../contracts/index.ts';
import { parseLine, readLineBatches, resolveInside } from '../files/index.ts';
import { listRunIds, openRun } from '../runs/index.ts';

/** The protocol's limit of values in one completion. */
const MAX_VALUES = 100;

export interface Completion {
  values: string[];
  total?: number;
  hasMore: boolean;
}

/** As many of all values as fit a completion. */
export function completionOf(values: string[]): Completion {
  return { values: values.slice(0, MAX_VALUES), total: values.length, hasMore: values.length > MAX_VALUES };
}

const NOTHING = completionOf([]);

/**
 * Completes a variable of a resource template: `run_id`, or `job_id` or `worker_id` of the run that is already
 * filled in.
 *
 * @param resolved variables of the template that have a value already
 */
export async function complete(
  root: string,
  variable: string,
  prefix: string,
  resolved: Record<string, string>,
): Promise<Completion> {
  const ids = listRunIds(root);
  if (variable === 'run_id') return completionOf(ids.filter((id) => id.startsWith(prefix)));
  const runId = resolved.run_id;
  // One that is half typed has nothing to propose yet.
  if (runId === undefined || !ids.includes(runId)) return NOTHING;
  if (variable === 'job_id') return completeJob(root, runId, prefix);
  if (variable === 'worker_id') return completeReport(root, runId, prefix);
  return NOTHING;
}

/** Tasks whose report is there. */
function completeReport(root: string, runId: string, prefix: string): Completion {
  const run = openRun(root, runId);
  const directory = resolveInside(run.dir, RUN_FILES.reports, RUN_FILES.reports);
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const ids = names
    .filter((name) => name.endsWith('.md') && name.startsWith(prefix))
    .map((name) => name.slice(0, -'.md'.length))
    .sort();
  return completionOf(ids);
}

/** Reads no further than it must: there may be a million jobs. */
async function completeJob(root: string, runId: string, prefix: string): Promise<Completion> {
  const run = openRun(root, runId);
  const path = resolveInside(run.dir, RUN_FILES.jobs, RUN_FILES.jobs);
  if (!existsSync(path)) return NOTHING;
  const values: string[] = [];
  for await (const batch of readLineBatches(path)) {
    for (const line of batch) {
      const job = JobRecord.safeParse(parseLine(line));
      if (!job.success || !job.data.job_id.startsWith(prefix)) continue;
      if (values.length === MAX_VALUES) return { values, hasMore: true };
      values.push(job.data.job_id);
    }
  }
  return { values, total: values.length, hasMore: false };
}
