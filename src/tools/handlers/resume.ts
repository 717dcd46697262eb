import { resumeActivity } from '../../activities/index.ts';
import { limitsOf } from '../../contracts/index.ts';
import { relaunchInterrupted } from '../../mapreduce/index.ts';
import type { resume } from '../resume.ts';
import type { Handler } from '../tool.ts';
import { takeOverOf } from './input.ts';
import { reportStarted } from './waiting.ts';

export const handleResume: Handler<typeof resume> = async (input, context) => {
  const run = context.openRun(input.run_id);
  // A limit that is not named stays: a larger max_tokens must not lift the max_cost_usd beside it.
  const change = limitsOf(input);
  const prepare = async () => {
    if (run.record.kind === 'plan') await relaunchInterrupted(run, takeOverOf(input.take_over));
  };
  await resumeActivity(run, { change, takeOver: input.take_over, prepare });
  return reportStarted(run, input.wait_sec, context);
};
