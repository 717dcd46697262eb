import { join } from 'node:path';
import { z } from 'zod';
import { PlanInput, RunId, VerifyInput } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { checkFields, fileInput, readInputFile } from './input-file.ts';
import { takeOverInput, takeOverOf } from './plan-run.ts';
import { runUri } from './report.ts';
import { defineTool, type ToolContext } from './tool.ts';

const SHOWN_IDS = 50;
const ids = z.array(z.string()).describe('worker_ids, the first 50');

/** Creates a run for a goal, or revises its plan. */
export const plan = defineTool({
  name: 'rlm_plan',
  title: 'Plan a map-reduce run',
  description:
    'Plans a map-reduce run: splits a goal (code, research, debugging, documents) into tasks with dependencies for many parallel agents, and writes the run contract they all follow. With the run_id of a plan it revises that: tasks are added or replaced by worker_id, what is left out stays. The result says what the contract still lacks: ask the user. Starts nothing; rlm_run_ready does.',
  input: z.object({
    run_id: RunId.optional().describe(
      'The run to revise, or the id of a new one (3 to 64 of a-z 0-9 . _ -); made up when absent',
    ),
    ...PlanInput.shape,
    verify: VerifyInput.optional().describe(
      'Adds verify tasks, verify-0001 and on, to a plan whose map tasks have reported',
    ),
    file: fileInput('these fields'),
    take_over: takeOverInput,
  }),
  output: z.object({
    run_id: RunId,
    run_dir: z.string(),
    plan_path: z.string(),
    contract_path: z.string(),
    uri: z.string(),
    iteration: z.int().describe('Grows with each revision; the plan before is kept in artifacts/'),
    round: z.int().describe('Rounds of new map work so far'),
    changed: z.boolean(),
    tasks: z.object({ total: z.int(), map: z.int(), verify: z.int() }),
    added: ids,
    replaced: ids,
    removed: ids,
    missing: z
      .array(z.object({ field: z.string(), ask: z.string() }))
      .describe('Parts of the run contract nobody gave, each with the question for the user'),
    took_over_from: z
      .object({ host: z.string(), pid: z.int(), acquired_at: z.string() })
      .nullable()
      .describe('Whoever held the orchestrator lock before'),
    next: z.string(),
  }),
  // (Archives that are past their own ttl go at the start of a run: that was decided when they were made.)
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  async run({ run_id, file, take_over, ...fields }, context) {
    const { verify, ...given } = checkFields(
      z.strictObject({ ...PlanInput.shape, verify: VerifyInput.optional() }),
      { ...readInputFile(file, context), ...withoutUndefined(fields) },
    );
    const [mapreduce, { cleanArchives, openRun }] = await Promise.all([
      import('../mapreduce/index.ts'),
      import('../runs/index.ts'),
    ]);
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
      plan_path: join(run.dir, mapreduce.PLAN_FILES.plan),
      contract_path: join(run.dir, mapreduce.PLAN_FILES.contract),
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
          ? `Add tasks: rlm_plan with {"run_id": "${run.id}", "tasks": [...]}.`
          : `Launch what is ready: rlm_run_ready {"run_id": "${run.id}"}.`,
    };
  },
});

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
