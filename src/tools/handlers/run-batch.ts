import { startActivity } from '../../activities/index.ts';
import { prepareBatch } from '../../batch/index.ts';
import { reportRun } from '../../resources/index.ts';
import type { runBatch } from '../run-batch.ts';
import type { Handler } from '../tool.ts';
import { callerOf, workRequestOf } from '../work-input.ts';

export const handleRunBatch: Handler<typeof runBatch> = async (input, context) => {
  const request = {
    jobs: input.jobs,
    runId: input.run_id,
    runDir: input.run_dir,
    work: workRequestOf(input),
  };
  const { run, params, keepJobs } = await prepareBatch(request, callerOf(context));
  return reportRun(run, await startActivity(run, 'batch', params, keepJobs));
};
