import { cancelActivity, resumeActivity, waitForChange } from '../../activities/index.ts';
import { limitsOf } from '../../contracts/index.ts';
import { reportResult, reportRun } from '../../resources/index.ts';
import type { cancel } from '../cancel.ts';
import type { resume } from '../resume.ts';
import type { Handler } from '../tool.ts';
import type { wait } from '../wait.ts';

/** How long a cancel may take before it is an error, milliseconds. */
const CANCEL_LIMIT_MS = 20_000;

export const handleWait: Handler<typeof wait> = async (input, context) => {
  const run = context.openRun(input.run_id);
  const status = await waitForChange(run, {
    timeoutMs: input.timeout_sec * 1000,
    signal: context.signal,
    until: input.until,
    onProgress: ({ progress: { total, accepted, failed, running } }) =>
      context.progress({
        progress: accepted + failed,
        total,
        message: `${accepted} accepted, ${failed} failed, ${running} running of ${total}`,
      }),
  });
  return reportResult(run, status);
};

export const handleCancel: Handler<typeof cancel> = async (input, context) => {
  const run = context.openRun(input.run_id);
  return reportRun(run, await cancelActivity(run, { timeoutMs: CANCEL_LIMIT_MS }));
};

export const handleResume: Handler<typeof resume> = async (input, context) => {
  const run = context.openRun(input.run_id);
  // A limit that is not named stays: a larger max_tokens must not lift the max_cost_usd beside it.
  return reportRun(run, await resumeActivity(run, { change: limitsOf(input), takeOver: input.take_over }));
};
