import { type RunStatus, readStatus, waitForChange } from '../../activities/index.ts';
import { type RunReport, reportResult } from '../../resources/index.ts';
import type { RunHandle } from '../../runs/index.ts';
import type { ToolContext } from '../tool.ts';

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

/** Waits, and tells a caller that listens how far the work is. */
export function waitFor(
  run: RunHandle,
  seconds: number,
  until: 'end' | 'change',
  { signal, progress: tell }: ToolContext,
): Promise<RunStatus> {
  return waitForChange(run, {
    timeoutMs: seconds * 1000,
    signal,
    until,
    onProgress: ({ progress: { total, accepted, failed, running } }) =>
      tell({
        progress: accepted + failed,
        total,
        message: `${accepted} accepted, ${failed} failed, ${running} running of ${total}`,
      }),
  });
}

/** Reports work that was just started: how it ended, when that comes within the wait, so that it takes one call. */
export async function reportStarted(
  run: RunHandle,
  waitSec: number | undefined,
  context: ToolContext,
): Promise<RunReport> {
  // A command follows the work itself.
  const { seconds, reduced } = waitLimit(waitSec ?? (context.caller === 'cli' ? 0 : undefined), context);
  const status = seconds === 0 ? readStatus(run) : await waitFor(run, seconds, 'end', context);
  const report = await reportResult(run, status);
  return reduced ? { ...report, wait_reduced_to_sec: seconds } : report;
}
