import { z } from 'zod';
import { ComputeTier, Granularity, MAX_GOAL_CHARS } from '../contracts/index.ts';
import { runIdInput, StageReport, stageInput, takeOverInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** Launches one task, or a retry of one that failed. */
export const spawnWorker = defineTool({
  name: 'rlm_spawn_worker',
  title: 'Spawn or retry one worker',
  description:
    'Spawns the worker agent of one task of a map-reduce plan, or retries a failed, stalled or empty one: retry_of makes a new task with a new worker_id and report, the lineage on record, and if wanted another tier, granularity or goal. (A split is several tasks with that retry_of, given to rlm_plan.) It starts that task beside others that run: max_inflight, budget.max_workers and the join gate do not hold it back; its dependencies do. Then rlm_wait.',
  input: z.object({
    run_id: runIdInput,
    worker_id: z
      .string()
      .optional()
      .describe('The task to launch; with retry_of: the id of the new one, default <id>-r<n>'),
    retry_of: z.string().optional().describe('The worker_id of the task that failed'),
    compute_tier: ComputeTier.optional().describe('For a retry: standard, standard-plus or heavy'),
    granularity: Granularity.optional().describe('For a retry: micro, meso or macro'),
    goal: z
      .string()
      .regex(/\S/, 'must not be blank')
      .max(MAX_GOAL_CHARS)
      .optional()
      .describe('For a retry: another goal, such as a smaller one'),
    ...stageInput,
    take_over: takeOverInput,
  }),
  example: { run_id: 'my-plan', retry_of: 'map-0001' },
  output: StageReport.extend({
    lineage: z.array(z.string()).describe('worker_ids from the first attempt to this one'),
  }),
  // It calls models, which are outside of this machine; its worker may change the files that the task owns.
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  startsWork: true,
});
