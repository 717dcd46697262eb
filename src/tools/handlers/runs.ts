import { cancelActivity, readStatus } from '../../activities/index.ts';
import { reportResult, reportRun } from '../../resources/index.ts';
import type { cancel } from '../cancel.ts';
import type { Handler } from '../tool.ts';
import type { wait } from '../wait.ts';
import { waitFor, waitLimit } from './waiting.ts';

/** How long a cancel may take before it is an error, milliseconds. */
const CANCEL_LIMIT_MS = 20_000;

export const handleWait: Handler<typeof wait> = async (input, context) => {
  const run = context.openRun(input.run_id);
  const { seconds, reduced } = waitLimit(input.wait_sec, context);
  const before = readStatus(run).journal_size;
  const started = performance.now();
  const status = await waitFor(run, seconds, input.until, context);
  const waited = {
    waited_sec: Math.round((performance.now() - started) / 100) / 10,
    ...(reduced ? { wait_reduced_to_sec: seconds } : {}),
  };
  const report = await reportResult(run, status);
  if (report.state !== 'working' || status.journal_size !== before || context.caller === 'cli')
    return { ...report, ...waited };
  const { run_id, state, progress, worker, left_sec, next } = report;
  return { run_id, state, progress, worker, left_sec, unchanged: true, ...waited, next };
};

export const handleCancel: Handler<typeof cancel> = async (input, context) => {
  const run = context.openRun(input.run_id);
  return reportRun(run, await cancelActivity(run, { timeoutMs: CANCEL_LIMIT_MS }));
};
