import { z } from 'zod';
import { TaskMode } from '../contracts/index.ts';
import { runIdInput, StageReport, stageInput, takeOverInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** Workers in flight unless the caller says otherwise. */
const MAX_INFLIGHT = 4;
const WaitingTask = z.object({ worker_id: z.string(), reason: z.string(), detail: z.string() });

/** Launches the tasks of a plan whose dependencies are met. */
export const runReady = defineTool({
  name: 'rlm_run_ready',
  title: 'Run the ready tasks of a plan',
  description:
    'Runs the ready tasks of a map-reduce plan: spawns a worker agent (Codex, Claude or a command) for each task whose dependencies have accepted reports, in parallel up to max_inflight. Starts nothing while workers are in flight, and no join- task, unless allowed. Says what was started and why the rest waits; goes on in the background: then rlm_wait, and call it again. With auto_refill one call runs the whole stage, each task as soon as it is ready.',
  input: z.object({
    run_id: runIdInput,
    stage: TaskMode.default('map').describe('map (default) or verify'),
    max_inflight: z
      .int()
      .min(1)
      .max(256)
      .default(MAX_INFLIGHT)
      .describe('Workers at a time, those in flight included: 1 to 256, default 4'),
    allow_join: z
      .boolean()
      .default(false)
      .describe('Start tasks whose id begins with join- too; default false'),
    allow_refill_while_inflight: z
      .boolean()
      .default(false)
      .describe('Start more while others run; default false'),
    auto_refill: z
      .boolean()
      .default(false)
      .describe(
        'Go on without being called again: start each task of the stage as soon as its dependencies have accepted reports, until none is left that can start; default false',
      ),
    dry_run: z.boolean().default(false).describe('Only say what would be started; default false'),
    ...stageInput,
    take_over: takeOverInput,
  }),
  example: { run_id: 'my-plan', auto_refill: true },
  output: StageReport.extend({
    inflight: z.int().describe('Workers in flight before this call'),
    waiting: z.record(z.string(), z.int()).describe('Tasks not started, by reason'),
    waiting_first: z.array(WaitingTask).describe('The first 15 that are held back and not done'),
  }),
  // It calls models, which are outside of this machine; its workers may change the files that tasks own.
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  startsWork: true,
  command: {
    positional: ['run_id'],
    examples: ['run-ready my-plan --auto-refill --max-inflight 8', 'run-ready my-plan --stage verify'],
  },
});
