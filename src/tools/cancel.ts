import { z } from 'zod';
import { RunReport, reportRun, runIdInput } from './report.ts';
import { defineTool } from './tool.ts';

/** How long a cancel may take before it is an error, milliseconds. */
const CANCEL_LIMIT_MS = 20_000;

/** Ends a run's background work, and returns when no process of it is left. */
export const cancel = defineTool({
  name: 'rlm_cancel',
  title: 'Cancel a run',
  description:
    'Stops a run: ends its driver and every worker process, and returns when none is left. Accepted results stay; rlm_resume goes on from them.',
  input: z.object({ run_id: runIdInput }),
  output: RunReport,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: { positional: ['run_id'] },
  async run(input, context) {
    const { cancelActivity } = await import('../activities/index.ts');
    const run = context.openRun(input.run_id);
    return reportRun(run, await cancelActivity(run, { timeoutMs: CANCEL_LIMIT_MS }));
  },
});
