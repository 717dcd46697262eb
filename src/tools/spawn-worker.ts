import { z } from 'zod';
import { ComputeTier, Granularity, MAX_GOAL_CHARS } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { openPlanRun, takeOverInput, takeOverOf } from './plan-run.ts';
import { readReport, runIdInput } from './report.ts';
import { headOf, launchTasks, lookReady, StageReport, stageInput } from './stage.ts';
import { defineTool } from './tool.ts';

/** Launches one task, or a retry of one that failed. */
export const spawnWorker = defineTool({
  name: 'rlm_spawn_worker',
  title: 'Spawn or retry one worker',
  description:
    'Spawns the worker agent of one task of a map-reduce plan, or retries a failed, stalled or empty one: retry_of makes a new task with a new worker_id and report, the lineage on record, and if wanted another tier, granularity or goal. (A split is several tasks with that retry_of, given to rlm_plan.) Returns at once; follow with rlm_wait.',
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
      .min(1)
      .max(MAX_GOAL_CHARS)
      .optional()
      .describe('For a retry: another goal, such as a smaller one'),
    ...stageInput,
    take_over: takeOverInput,
  }),
  output: StageReport.extend({
    lineage: z.array(z.string()).describe('worker_ids from the first attempt to this one'),
  }),
  // It calls models, which are outside of this machine; its worker may change the files that the task owns.
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  startsWork: true,
  async run(input, context) {
    const [mapreduce, { holdOrchestratorLock }] = await Promise.all([
      import('../mapreduce/index.ts'),
      import('../runs/index.ts'),
    ]);
    const run = openPlanRun(context, input.run_id);
    const takeOver = takeOverOf(input.take_over);
    const { worker_id: workerId, retry_of: retryOf, compute_tier, granularity, goal } = input;
    let id = workerId;
    if (retryOf !== undefined) {
      holdOrchestratorLock(context.root, run.id, { takeOver });
      const { plan, state } = mapreduce.lookAtTasks(context.root, run);
      const retry = mapreduce.retryTask(plan, state, retryOf, {
        ...(workerId === undefined ? {} : { workerId }),
        ...(compute_tier === undefined ? {} : { computeTier: compute_tier }),
        ...(granularity === undefined ? {} : { granularity }),
        ...(goal === undefined ? {} : { goal }),
      });
      mapreduce.revisePlan(
        context.root,
        run.id,
        { tasks: [retry] },
        // Its paths were checked when the first of the lineage was planned.
        { inputRoots: 'any', takeOver },
      );
      id = retry.worker_id;
    } else if (compute_tier !== undefined || granularity !== undefined || goal !== undefined) {
      throw new RlmError('usage', 'compute_tier, granularity and goal are for a retry (retry_of)', {
        hint: 'Change a task that was not launched yet with rlm_plan.',
      });
    }
    if (id === undefined) throw new RlmError('usage', 'give worker_id, or retry_of');
    holdOrchestratorLock(context.root, run.id, { takeOver });
    const mode = mapreduce.readPlan(run).tasks.find((task) => task.worker_id === id)?.mode;
    if (mode === undefined) throw new RlmError('not_found', `no task '${id}' in the plan of ${run.id}`);
    const { plan, ready, waiting, inflight } = await lookReady(context, run, {
      stage: mode,
      maxInflight: Number.POSITIVE_INFINITY,
      allowJoin: true,
      allowRefill: true,
    });
    if (!ready.some((task) => task.worker_id === id)) {
      const why = waiting.find((task) => task.worker_id === id);
      // A driver that refills by itself may launch the retry as soon as it stands in the plan.
      if (retryOf !== undefined && why?.reason === 'inflight') {
        const head = headOf(await readReport(run));
        return { ...head, started: [id], started_total: 1, lineage: mapreduce.lineage(plan, id) };
      }
      throw new RlmError('conflict', `task '${id}' cannot be launched: ${why?.reason}: ${why?.detail}`, {
        hint: 'A failed task is retried with retry_of; unmet dependencies come first.',
      });
    }
    const stage = { request: input, parallel: Math.max(4, inflight + 1), plan };
    return {
      ...(await launchTasks(run, [id], stage, context)),
      lineage: mapreduce.lineage(plan, id),
    };
  },
});
