import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Plan, ReduceState } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import type { ReadyOptions, ReadyTasks, StageRequest, StandingOrder } from '../mapreduce/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { RunReport } from './report.ts';
import type { ToolContext } from './tool.ts';
import { callerOf, workInput } from './work-input.ts';

/** Input fields of the tools that launch tasks: who works, where a driver has to be started for it. */
export const stageInput = {
  worker: z
    .enum(['auto', 'codex', 'claude', 'command'])
    .optional()
    .describe('Who carries the tasks out; default auto: Codex, then Claude. A running driver keeps its own'),
  command: workInput.command,
  codex_home: workInput.codex_home,
  timeout_sec: workInput.timeout_sec.describe('Seconds a task may take; default 3600'),
  idle_timeout_sec: workInput.idle_timeout_sec.describe(
    'Seconds of silence after which a worker is ended; default 1200',
  ),
};

/** What the tools that launch tasks return. */
export const StageReport = RunReport.pick({ run_id: true, state: true, run_dir: true, next: true }).extend({
  started: z.array(z.string()).describe('worker_ids handed to the driver now, the first 50'),
  started_total: z.int(),
});

const SHOWN_IDS = 50;
/** How long a driver may take to see a request, milliseconds; it takes about one. */
const TAKE_WAIT_MS = 10_000;
const LOOK_MS = 10;

/** What a launch says of the run; rlm_status says the rest. */
export function headOf({ run_id, state, run_dir, next }: RunReport) {
  return { run_id, state, run_dir, next };
}

/** Tasks that were requested of a driver that is at work, and not launched yet. */
async function pendingTasks(run: RunHandle, state: ReduceState): Promise<Set<string>> {
  const [{ readRequests }, { driverAlive }] = await Promise.all([
    import('../mapreduce/index.ts'),
    import('../runs/index.ts'),
  ]);
  if (driverAlive(run.dir) === false) return new Set();
  const launched = new Set(state.tasks.filter((task) => task.launched).map((task) => task.worker_id));
  const { workerIds } = await readRequests(run, 0);
  return new Set(workerIds.filter((id) => !launched.has(id)));
}

/** Looks at the disk and says what may start; what is handed to a driver already counts as in flight. */
export async function lookReady(
  context: ToolContext,
  run: RunHandle,
  options: ReadyOptions,
): Promise<{ plan: Plan; state: ReduceState } & ReadyTasks> {
  const { lookAtTasks, readyTasks } = await import('../mapreduce/index.ts');
  const { plan, state } = lookAtTasks(context.root, run);
  const pending = await pendingTasks(run, state);
  return { plan, state, ...readyTasks(plan, state, { ...options, pending }) };
}

/**
 * Has tasks launched: by the driver that is at work, else by one that is started for it. The request is on disk
 * first, and the driver launches each task once, so that no crash and no race launches one twice or loses one.
 */
export async function launchTasks(
  run: RunHandle,
  workerIds: readonly string[],
  stage: { request: StageRequest; parallel: number; plan: Plan; order?: StandingOrder | undefined },
  context: ToolContext,
): Promise<z.infer<typeof StageReport>> {
  const [{ readStatus, startActivity }, mapreduce, { driverAlive }, { reportRun }] = await Promise.all([
    import('../activities/index.ts'),
    import('../mapreduce/index.ts'),
    import('../runs/index.ts'),
    import('./report.ts'),
  ]);
  const started = { started: workerIds.slice(0, SHOWN_IDS), started_total: workerIds.length };
  const params = mapreduce.stageParams(stage.request, stage.parallel, stage.plan.budget, callerOf(context));
  if (driverAlive(run.dir) !== false) {
    const end = mapreduce.addRequests(run, workerIds, stage.order);
    const deadline = performance.now() + TAKE_WAIT_MS;
    while (driverAlive(run.dir) !== false) {
      if (mapreduce.takenBytes(run) >= end) return { ...headOf(reportRun(run, readStatus(run))), ...started };
      if (performance.now() > deadline) {
        throw new RlmError('conflict', `the driver of run '${run.id}' does not take the tasks on`, {
          hint: 'They stay requested. Look with rlm_status; rlm_cancel and rlm_resume start another driver.',
          retryable: true,
        });
      }
      await sleep(LOOK_MS);
    }
    // It ended before it saw them: the requests are read by the next one.
  } else mapreduce.writeRequests(run, workerIds, stage.order);
  return { ...headOf(reportRun(run, await startActivity(run, 'plan', params))), ...started };
}
