import { z } from 'zod';
import { TaskMode } from '../contracts/index.ts';
import { openPlanRun, takeOverInput, takeOverOf } from './plan-run.ts';
import { readReport, runIdInput } from './report.ts';
import { headOf, launchTasks, lookReady, StageReport, stageInput } from './stage.ts';
import { defineTool } from './tool.ts';

/** Workers in flight unless the caller says otherwise (CONTRACTS.md D). */
const MAX_INFLIGHT = 4;
/** Waiting tasks that are named, besides the counts of all. */
const SHOWN_WAITING = 15;

const WaitingTask = z.object({ worker_id: z.string(), reason: z.string(), detail: z.string() });

/** Launches the tasks of a plan whose dependencies are met. */
export const runReady = defineTool({
  name: 'rlm_run_ready',
  title: 'Run the ready tasks of a plan',
  description:
    'Runs the ready tasks of a map-reduce plan: spawns a worker agent (Codex, Claude or a command) for each task whose dependencies have accepted reports, in parallel up to max_inflight. Starts nothing while workers are in flight, and no join- task, unless allowed. Returns at once with what was started and why the rest waits; follow with rlm_wait and rlm_status, then call it again. With auto_refill one call runs the whole stage, each task as soon as it is ready.',
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
  async run(input, context) {
    const { holdOrchestratorLock } = await import('../runs/index.ts');
    const run = openPlanRun(context, input.run_id);
    if (!input.dry_run) holdOrchestratorLock(context.root, run.id, { takeOver: takeOverOf(input.take_over) });
    const { plan, ready, waiting, inflight } = await lookReady(context, run, {
      stage: input.stage,
      maxInflight: input.max_inflight,
      allowJoin: input.allow_join,
      allowRefill: input.allow_refill_while_inflight || input.auto_refill,
    });
    const counts: Record<string, number> = {};
    for (const { reason } of waiting) counts[reason] = (counts[reason] ?? 0) + 1;
    const said = {
      inflight,
      waiting: counts,
      waiting_first: waiting
        .filter(({ reason }) => reason !== 'done' && reason !== 'retried' && reason !== 'stage')
        .slice(0, SHOWN_WAITING)
        .map((task) => ({ ...task, detail: task.detail.slice(0, 160) })),
    };
    const workerIds = ready.map((task) => task.worker_id);
    // With nothing ready now, there is something to go on from only while workers are in flight.
    const nothingToDo = workerIds.length === 0 && !(input.auto_refill && inflight > 0);
    if (nothingToDo || input.dry_run) {
      return {
        ...headOf(await readReport(run)),
        started: [],
        started_total: 0,
        ...said,
        next: nextOf(run.id, workerIds.length, inflight, counts),
      };
    }
    const order = input.auto_refill
      ? { stage: input.stage, max_inflight: input.max_inflight, allow_join: input.allow_join }
      : undefined;
    const stage = { request: input, parallel: input.max_inflight, plan, order };
    return { ...(await launchTasks(run, workerIds, stage, context)), ...said };
  },
});

/** What to do when nothing was started. */
function nextOf(runId: string, ready: number, inflight: number, waiting: Record<string, number>): string {
  const id = `{"run_id": "${runId}"}`;
  if (ready > 0) return `A dry run: ${ready} tasks would be started.`;
  if (inflight > 0) return `${inflight} workers are in flight: rlm_wait ${id}, then again.`;
  if (waiting.join_gate !== undefined) return 'Only join tasks are ready: allow_join starts them.';
  if (waiting.budget !== undefined) return 'budget.max_workers of the plan is used up: raise it, or finish.';
  if (waiting.failed !== undefined || waiting.dependency !== undefined)
    return `Failed tasks are in the way: rlm_reduce_inventory ${id} says what to do about each.`;
  return `Nothing is left in this stage: rlm_reduce_inventory ${id}, then the next stage or rlm_finalize.`;
}
