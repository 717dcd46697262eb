import { z } from 'zod';
import { RunReport } from '../resources/index.ts';
import { runIdInput } from './inputs.ts';
import { defineTool } from './tool.ts';

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
});
