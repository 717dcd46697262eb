import { startActivity } from '../../activities/index.ts';
import { prepareBatch } from '../../batch/index.ts';
import type { runBatch } from '../run-batch.ts';
import type { Handler } from '../tool.ts';
import { callerOf } from './input.ts';
import { reportStarted } from './waiting.ts';

export const handleRunBatch: Handler<typeof runBatch> = async (input, context) => {
  const { run, params, keepJobs } = await prepareBatch(input, callerOf(context));
  await startActivity(run, 'batch', params, keepJobs);
  return reportStarted(run, input.wait_sec, context);
};
