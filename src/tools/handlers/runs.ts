import { cancelActivity, readStatus, resumeActivity, waitForChange } from '../../activities/index.ts';
import { limitsOf } from '../../contracts/index.ts';
import { reportRun } from '../../resources/index.ts';
import type { cancel } from '../cancel.ts';
import type { resume } from '../resume.ts';
import type { Handler } from '../tool.ts';
import type { wait } from '../wait.ts';

/** How often a client that listens hears of progress, milliseconds. */
const PROGRESS_EVERY_MS = 1000;
/** How long a cancel may take before it is an error, milliseconds. */
const CANCEL_LIMIT_MS = 20_000;

export const handleWait: Handler<typeof wait> = async (input, context) => {
  const run = context.openRun(input.run_id);
  const report = () => {
    try {
      const { total, accepted, failed, running } = readStatus(run).progress;
      context.progress({
        progress: accepted + failed,
        total,
        message: `${accepted} accepted, ${failed} failed, ${running} running of ${total}`,
      });
    } catch {
      // A run that cannot be read any more is the error of the wait; thrown in a timer it would end the server.
    }
  };
  const timer = setInterval(report, PROGRESS_EVERY_MS);
  try {
    const status = await waitForChange(run, {
      timeoutMs: input.timeout_sec * 1000,
      signal: context.signal,
      until: input.until,
    });
    return reportRun(run, status);
  } finally {
    clearInterval(timer);
  }
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
