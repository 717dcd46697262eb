import { cancelActivity, readStatus, waitForChange } from '../../activities/index.ts';
import { reportResult, reportRun } from '../../resources/index.ts';
import type { cancel } from '../cancel.ts';
import type { Handler, ToolContext } from '../tool.ts';
import type { wait } from '../wait.ts';

/** How long a cancel may take before it is an error, milliseconds. */
const CANCEL_LIMIT_MS = 20_000;

/** Seconds of a wait over MCP that does not say how long. */
const DEFAULT_WAIT_SEC = 20;

/** How long a caller waits, in seconds: what it asked for, within what its client allows. */
export function waitLimit(
  asked: number | undefined,
  { caller, maxWaitSec }: ToolContext,
): { seconds: number; reduced: boolean } {
  const wanted = asked ?? (caller === 'cli' ? Number.POSITIVE_INFINITY : DEFAULT_WAIT_SEC);
  return { seconds: Math.min(wanted, maxWaitSec), reduced: asked !== undefined && asked > maxWaitSec };
}

export const handleWait: Handler<typeof wait> = async (input, context) => {
  const run = context.openRun(input.run_id);
  const { seconds, reduced } = waitLimit(input.wait_sec, context);
  const before = readStatus(run).journal_size;
  const started = performance.now();
  const status = await waitForChange(run, {
    timeoutMs: seconds * 1000,
    signal: context.signal,
    until: input.until,
    onProgress: ({ progress: { total, accepted, failed, running } }) =>
      context.progress({
        progress: accepted + failed,
        total,
        message: `${accepted} accepted, ${failed} failed, ${running} running of ${total}`,
      }),
  });
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
