import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { startActivity } from '../../activities/index.ts';
import type { Plan, ReduceState } from '../../contracts/index.ts';
import { type NextStep, RlmError } from '../../errors.ts';
import * as mapreduce from '../../mapreduce/index.ts';
import { readReport } from '../../resources/index.ts';
import { driverAlive, holdOrchestratorLock, type RunHandle, requireNotArchived } from '../../runs/index.ts';
import type { StageReport } from '../inputs.ts';
import type { runReady } from '../run-ready.ts';
import type { spawnWorker } from '../spawn-worker.ts';
import type { Handler, ToolContext } from '../tool.ts';
import { callerOf, openPlanRun, takeOverOf } from './input.ts';
import { reportStarted } from './waiting.ts';

/** Waiting tasks that are named, besides the counts of all. */
const SHOWN_WAITING = 15;
const SHOWN_IDS = 50;
/** How long a driver may take to see a request, milliseconds; it takes about one. */
const TAKE_WAIT_MS = 10_000;
const LOOK_MS = 10;

export const handleRunReady: Handler<typeof runReady> = async (input, context) => {
  const run = openPlanRun(context, input.run_id);
  requireNotArchived(run);
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
      ...(await readReport(run)),
      started: [],
      started_total: 0,
      ...said,
      next: nextOf({ ...input, run_id: run.id }, workerIds.length, inflight, counts),
    };
  }
  const order = input.auto_refill
    ? { stage: input.stage, max_inflight: input.max_inflight, allow_join: input.allow_join }
    : undefined;
  const stage = { request: input, parallel: input.max_inflight, plan, order };
  const launched = await launchTasks(run, workerIds, stage, context);
  // All of the stage has reported, and tasks of the other one wait for nothing else.
  const isOver = launched.state === 'completed' && (counts.stage ?? 0) > 0 && input.auto_refill;
  const other: NextStep = {
    tool: 'rlm_run_ready',
    args: { run_id: run.id, stage: input.stage === 'map' ? 'verify' : 'map', auto_refill: true },
    why: 'Starts the tasks of the other stage.',
  };
  return { ...launched, ...said, ...(isOver ? { next: [other, ...launched.next].slice(0, 3) } : {}) };
};

/** What to do when nothing was started. */
function nextOf(
  input: { run_id: string; stage: string; auto_refill: boolean },
  ready: number,
  inflight: number,
  waiting: Record<string, number>,
): NextStep[] {
  const run = { run_id: input.run_id };
  const again = { ...run, stage: input.stage, ...(input.auto_refill ? { auto_refill: true } : {}) };
  if (ready > 0)
    return [{ tool: 'rlm_run_ready', args: again, why: `Starts the ${ready} tasks that are ready.` }];
  if (inflight > 0)
    return [{ tool: 'rlm_wait', args: run, why: `${inflight} workers are in flight; then call this again.` }];
  const inventory = (why: string): NextStep => ({ tool: 'rlm_reduce_inventory', args: run, why });
  if (waiting.failed !== undefined)
    return [inventory('Failed tasks are in the way: it says what to do about each.')];
  if (waiting.join_gate !== undefined) {
    const args = { ...again, allow_join: true };
    return [{ tool: 'rlm_run_ready', args, why: 'Only join tasks are ready: this starts them.' }];
  }
  if (waiting.budget !== undefined) {
    return [
      { tool: 'rlm_plan', args: run, why: 'budget.max_workers is used up: give a larger one.' },
      { tool: 'rlm_finalize', args: run, why: 'Or finish with what there is: give final.' },
    ];
  }
  return [inventory('Nothing is left in this stage: it says what comes next.')];
}

export const handleSpawnWorker: Handler<typeof spawnWorker> = async (input, context) => {
  const run = openPlanRun(context, input.run_id);
  requireNotArchived(run);
  const takeOver = takeOverOf(input.take_over);
  const { worker_id: workerId, retry_of: retryOf, compute_tier, granularity, goal } = input;
  let id = workerId;
  if (retryOf !== undefined) {
    holdOrchestratorLock(context.root, run.id, { takeOver });
    const { plan, state } = mapreduce.readTaskStates(context.root, run);
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
      hint: {
        text: 'Change a task that was not launched yet in the plan.',
        action: { tool: 'rlm_plan', args: { run_id: run.id } },
      },
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
    // A driver that refills by itself may launch the retry as soon as it is in the plan.
    if (retryOf !== undefined && why?.reason === 'inflight') {
      const head = await readReport(run);
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
};

/** Tasks that were requested of a driver that is at work, and not launched yet. */
async function pendingTasks(run: RunHandle, state: ReduceState): Promise<Set<string>> {
  if (driverAlive(run.dir) === false) return new Set();
  const launched = new Set(state.tasks.filter((task) => task.launched).map((task) => task.worker_id));
  const { workerIds } = await mapreduce.readRequests(run, 0);
  return new Set(workerIds.filter((id) => !launched.has(id)));
}

/** Looks at the disk and says what may start; what is handed to a driver already counts as in flight. */
async function lookReady(
  context: ToolContext,
  run: RunHandle,
  options: mapreduce.ReadyOptions,
): Promise<{ plan: Plan; state: ReduceState } & mapreduce.ReadyTasks> {
  const { plan, state } = mapreduce.readTaskStates(context.root, run);
  const pending = await pendingTasks(run, state);
  return { plan, state, ...mapreduce.readyTasks(plan, state, { ...options, pending }) };
}

/**
 * Has tasks launched: by the driver that is at work, else by one that is started for it. The request is on disk
 * first, and the driver launches each task once, so that no crash and no race launches one twice or loses one.
 */
async function launchTasks(
  run: RunHandle,
  workerIds: readonly string[],
  stage: {
    request: mapreduce.StageOptions & { wait_sec?: number | undefined };
    parallel: number;
    plan: Plan;
    order?: mapreduce.StandingOrder | undefined;
  },
  context: ToolContext,
): Promise<z.infer<typeof StageReport>> {
  const started = { started: workerIds.slice(0, SHOWN_IDS), started_total: workerIds.length };
  const requests = { workerIds, order: stage.order, maxInflight: stage.parallel };
  const params = mapreduce.stageParams(stage.request, stage.parallel, stage.plan.budget, callerOf(context));
  if (driverAlive(run.dir) !== false) {
    const end = mapreduce.addRequests(run, requests);
    const deadline = performance.now() + TAKE_WAIT_MS;
    while (driverAlive(run.dir) !== false) {
      if (mapreduce.takenBytes(run) >= end)
        return { ...(await reportStarted(run, stage.request.wait_sec, context)), ...started };
      if (performance.now() > deadline) {
        throw new RlmError('conflict', `the driver of run '${run.id}' does not take the tasks on`, {
          hint: {
            text: 'They stay requested.',
            action: { tool: 'rlm_status', args: { run_id: run.id } },
          },
          retryable: true,
        });
      }
      await sleep(LOOK_MS);
    }
    // It ended before it saw them: the requests are read by the next one.
  } else mapreduce.writeRequests(run, requests);
  await startActivity(run, 'plan', params);
  return { ...(await reportStarted(run, stage.request.wait_sec, context)), ...started };
}
