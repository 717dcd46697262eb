import { startActivity } from '../../activities/index.ts';
import { prepareRefine } from '../../refine/index.ts';
import type { refine } from '../refine.ts';
import type { Handler } from '../tool.ts';
import { callerOf } from './input.ts';
import { reportStarted } from './waiting.ts';

export const handleRefine: Handler<typeof refine> = async (input, context) => {
  const { run, params } = await prepareRefine(input, callerOf(context));
  await startActivity(run, 'refine', params);
  return reportStarted(run, input.wait_sec, context);
};
