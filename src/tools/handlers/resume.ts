import { resumeActivity } from '../../activities/index.ts';
import { limitsOf } from '../../contracts/index.ts';
import { relaunchInterrupted } from '../../mapreduce/index.ts';
import { reportRun } from '../../resources/index.ts';
import type { resume } from '../resume.ts';
import type { Handler } from '../tool.ts';
import { takeOverOf } from './input.ts';

export const handleResume: Handler<typeof resume> = async (input, context) => {
  const run = context.openRun(input.run_id);
  // A limit that is not named stays: a larger max_tokens must not lift the max_cost_usd beside it.
  const change = limitsOf(input);
  if (run.record.kind !== 'plan') {
    return reportRun(run, await resumeActivity(run, { change, takeOver: input.take_over }));
  }
  const prepare = () => {
    relaunchInterrupted(run, takeOverOf(input.take_over));
  };
  return reportRun(run, await resumeActivity(run, { change, takeOver: input.take_over, prepare }));
};
