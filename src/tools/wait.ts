import { z } from 'zod';
import { RunReport } from '../resources/index.ts';
import { runIdInput, waitSecInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** A bounded long poll: every client ends a call that takes too long for it. */
export const wait = defineTool({
  name: 'rlm_wait',
  title: 'Wait for a run',
  description:
    'Waits until a run ends or pauses, or until the time is up, and returns its status; of a finished question also the answer with its citations. Call it again while the state is working. Ending the call does not end the run.',
  input: z.object({
    run_id: runIdInput,
    wait_sec: waitSecInput,
    until: z
      .enum(['end', 'change'])
      .default('end')
      .describe('end (default): until it is working no more; change: until anything happens in it'),
  }),
  example: { run_id: 'my-run', wait_sec: 20 },
  output: z.object({
    ...RunReport.partial().shape,
    ...RunReport.pick({ run_id: true, state: true, next: true }).shape,
    waited_sec: z.number(),
    unchanged: z.literal(true).optional().describe('Nothing happened in this time: rlm_status says more'),
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: {
    positional: ['run_id'],
    examples: ['wait my-run', 'wait --run-dir out --wait-sec 45; [ $? -eq 124 ] && echo "still working"'],
  },
});
