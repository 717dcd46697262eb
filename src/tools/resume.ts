import { z } from 'zod';
import { Budget } from '../contracts/index.ts';
import { RunReport } from '../resources/index.ts';
import { runIdInput, waitSecInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** Takes a run up again where it stopped. */
export const resume = defineTool({
  name: 'rlm_resume',
  title: 'Resume a run',
  description:
    'Goes on with a run that crashed, was cancelled, paused (quota, budget, login) or has failed jobs; a limit given here replaces that one of the run. Accepted results are kept and never run again. Longer work goes on in the background: then rlm_wait.',
  input: z.object({
    run_id: runIdInput,
    take_over: z
      .boolean()
      .default(false)
      .describe(
        'Also from a driver on another host that has been silent for a minute: only when that host is gone for good, such as a container of yesterday; default false',
      ),
    ...Budget.shape,
    wait_sec: waitSecInput,
  }),
  example: { run_id: 'my-run', max_tokens: 500_000 },
  output: RunReport,
  // It calls models, which are outside of this machine.
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  startsWork: true,
  command: {
    positional: ['run_id'],
    examples: ['resume my-run', 'resume --run-dir out --max-tokens 500000'],
  },
});
