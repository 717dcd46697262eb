import { join } from 'node:path';
import { z } from 'zod';
import { PlanInput, RUN_FILES, type StateCounts, VerifyInput } from '../../contracts/index.ts';
import { type NextStep, RlmError } from '../../errors.ts';
import * as mapreduce from '../../mapreduce/index.ts';
import { runUri } from '../../resources/index.ts';
import { cleanArchives, openRun } from '../../runs/index.ts';
import type { collectDeferred } from '../collect-deferred.ts';
import type { plan } from '../plan.ts';
import type { reduceInventory } from '../reduce-inventory.ts';
import type { Handler, ToolContext } from '../tool.ts';
import { checkFields, openPlanRun, readInputFile, takeOverOf } from './input.ts';

const SHOWN_IDS = 50;

export const handlePlan: Handler<typeof plan> = async ({ run_id, file, take_over, ...fields }, context) => {
  const { verify, ...given } = checkFields(
    z.strictObject({ ...PlanInput.shape, verify: VerifyInput.optional() }),
    { ...readInputFile(file, context), ...withoutUndefined(fields) },
  );
  const options = {
    inputRoots: context.caller === 'cli' ? ('any' as const) : context.config.values.input_roots,
    takeOver: takeOverOf(take_over),
  };
  const old = run_id === undefined ? undefined : planOf(context, run_id, openRun, mapreduce.readPlan);
  if (old === undefined && verify !== undefined) {
    throw new RlmError('usage', 'verify: there is no plan yet whose results could be verified', {
      hint: 'Plan and run map tasks first, then give verify with their run_id.',
    });
  }
  const tasks =
    old === undefined || verify === undefined
      ? given.tasks
      : [...(given.tasks ?? []), ...mapreduce.verifyTasks(old, verify)];
  const input = tasks === undefined ? given : { ...given, tasks };
  const result =
    old === undefined
      ? mapreduce.createPlan(context.root, input, {
          ...options,
          ...(run_id === undefined ? {} : { runId: run_id }),
        })
      : mapreduce.revisePlan(context.root, old.run_id, input, options);
  if (old === undefined) await cleanArchives(context.root, { dryRun: false });
  const { run, plan: made, tookOverFrom } = result;
  const verifying = made.tasks.filter((task) => task.mode === 'verify').length;
  return {
    run_id: run.id,
    run_dir: run.dir,
    plan_path: join(run.dir, RUN_FILES.plan),
    contract_path: join(run.dir, RUN_FILES.contract),
    uri: `${runUri(run.id)}/plan`,
    iteration: made.iteration,
    round: made.rounds,
    changed: result.changed,
    tasks: { total: made.tasks.length, map: made.tasks.length - verifying, verify: verifying },
    added: result.added.slice(0, SHOWN_IDS),
    replaced: result.replaced.slice(0, SHOWN_IDS),
    removed: result.removed.slice(0, SHOWN_IDS),
    missing: result.missing,
    took_over_from:
      tookOverFrom === undefined
        ? null
        : { host: tookOverFrom.host, pid: tookOverFrom.pid, acquired_at: tookOverFrom.acquired_at },
    next:
      made.tasks.length === 0
        ? [{ tool: 'rlm_plan', args: { run_id: run.id }, why: 'It has no tasks yet: give tasks.' }]
        : [
            {
              tool: 'rlm_run_ready',
              args: {
                run_id: run.id,
                ...(verify === undefined ? {} : { stage: 'verify' }),
                auto_refill: true,
              },
              why: 'Launches the tasks that are ready.',
            },
          ],
  };
};

/** The plan of a run that has one; undefined for an id that is free, or whose creation was cut short. */
function planOf<Handle, Made>(
  context: ToolContext,
  runId: string,
  open: (root: string, runId: string) => Handle,
  read: (run: Handle) => Made,
): Made | undefined {
  try {
    return read(open(context.root, runId));
  } catch (error) {
    if (error instanceof RlmError && error.code === 'not_found') return undefined;
    throw error;
  }
}

function withoutUndefined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

export const handleReduceInventory: Handler<typeof reduceInventory> = async (input, context) => {
  const run = openPlanRun(context, input.run_id);
  const { state } = mapreduce.takeInventory(context.root, run, { staleSeconds: input.stale_seconds });
  const verify = mapreduce.verifyStage(state);
  const mapWaits = state.tasks.some(
    ({ mode, launched, satisfied }) => mode === 'map' && !launched && !satisfied,
  );
  const summary = mapreduce.summarizeInventory(context.root, run, state);
  return {
    ...summary,
    verify: {
      completed: verify.completed,
      tasks: verify.tasks.length,
      open: verify.open.length,
      unverified: verify.unverified.length,
      verdicts: mapreduce.countVerdicts(verify.verdicts),
    },
    reports_uri: `${runUri(run.id)}/reports/`,
    next: nextOf(run.id, summary, verify, mapWaits),
  };
};

function nextOf(
  runId: string,
  summary: {
    counts: StateCounts;
    attention: { worker_id: string; suggestion: { action: string; why: string } | null }[];
  },
  verify: { completed: boolean; open: string[] },
  mapWaits: boolean,
): NextStep[] {
  const run = { run_id: runId };
  const retry = summary.attention.find(({ suggestion }) => suggestion !== null) ?? summary.attention[0];
  if (summary.counts.inflight > 0)
    return [{ tool: 'rlm_wait', args: run, why: `${summary.counts.inflight} workers are in flight.` }];
  if (retry !== undefined) {
    return [
      {
        tool: 'rlm_spawn_worker',
        args: { ...run, retry_of: retry.worker_id },
        why: `Decide about each task under attention; this one: ${retry.suggestion?.why ?? 'it has no accepted report.'}`,
      },
      { tool: 'rlm_plan', args: run, why: 'Splits a task: give several with retry_of.' },
    ];
  }
  if (mapWaits) return [{ tool: 'rlm_run_ready', args: run, why: 'Launches the tasks that are ready.' }];
  if (verify.completed) {
    return [
      {
        tool: 'rlm_finalize',
        args: run,
        why: 'Concludes: give final. It collects the deferred opportunities too.',
      },
      { tool: 'rlm_collect_deferred', args: run, why: 'To see the deferred opportunities before.' },
      { tool: 'rlm_plan', args: run, why: 'Adds map tasks, if the goal is not reached.' },
    ];
  }
  // Without an open verify task, either there is none, or map tasks have reported since.
  return verify.open.length === 0
    ? [
        {
          tool: 'rlm_plan',
          args: run,
          why: 'Read the reports by path, then give verify: topics, contradictions, key_claims.',
        },
      ]
    : [
        {
          tool: 'rlm_run_ready',
          args: { ...run, stage: 'verify', auto_refill: true },
          why: 'Runs the verify stage.',
        },
      ];
}

export const handleCollectDeferred: Handler<typeof collectDeferred> = async (input, context) => {
  const run = openPlanRun(context, input.run_id);
  const file = await mapreduce.collectDeferred(context.root, run);
  const summary = mapreduce.summarizeDeferred(context.root, run, file);
  return {
    ...summary,
    items: summary.items.map(({ worker_id, path, line }) => ({ worker_id, path, line })),
  };
};
