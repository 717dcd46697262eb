import { z } from 'zod';
import { RunReport } from '../resources/index.ts';
import { runIdInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** Ends a run's background work, and returns when no process of it is left. */
export const cancel = defineTool({
  name: 'rlm_cancel',
  title: 'Cancel a run',
  description:
    'Stops a run: ends its driver and every worker process, and returns when none is left. Accepted results stay; rlm_resume goes on from them.',
  input: z.object({ run_id: runIdInput }),
  example: { run_id: 'my-run' },
  output: RunReport,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: { positional: ['run_id'] },
});
