import { z } from 'zod';
import { RunReport, reportRun, runIdInput } from './report.ts';
import { defineTool } from './tool.ts';

/** How often a client that listens hears of progress, milliseconds. */
const PROGRESS_EVERY_MS = 1000;

/** A bounded long poll: many hosts cut a call at 60 s (FACTS.md 3). */
export const wait = defineTool({
  name: 'rlm_wait',
  title: 'Wait for a run',
  description:
    'Waits until a run ends or pauses, or until the time is up, and returns its status. Call it again while the state is working. Ending the call does not end the run.',
  input: z.object({
    run_id: runIdInput,
    timeout_sec: z.int().min(1).max(45).default(25).describe('Seconds to wait at most: 1 to 45, default 25'),
    until: z
      .enum(['end', 'change'])
      .default('end')
      .describe('end (default): until it is working no more; change: until anything happens in it'),
  }),
  output: RunReport,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: {
    positional: ['run_id'],
    examples: [
      'wait my-run --timeout-sec 45',
      'wait --run-dir out; [ $? -eq 124 ] && echo "it is still working"',
    ],
  },
  async run(input, context) {
    const { readStatus, waitForChange } = await import('../activities/index.ts');
    const run = context.openRun(input.run_id);
    const report = () => {
      const { total, accepted, failed, running } = readStatus(run).progress;
      context.progress({
        progress: accepted + failed,
        total,
        message: `${accepted} accepted, ${failed} failed, ${running} running of ${total}`,
      });
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
  },
});
