import { startActivity } from '../../activities/index.ts';
import { prepareBatch } from '../../batch/index.ts';
import { reportRun } from '../../resources/index.ts';
import type { runBatch } from '../run-batch.ts';
import type { Handler } from '../tool.ts';
import { callerOf } from './input.ts';

export const handleRunBatch: Handler<typeof runBatch> = async (input, context) => {
  const { run, params, keepJobs } = await prepareBatch(input, callerOf(context));
  return reportRun(run, await startActivity(run, 'batch', params, keepJobs));
};
