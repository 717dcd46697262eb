import { z } from 'zod';
import {
  type LaunchRecord,
  NO_USAGE,
  type PlanBudget,
  type ResultRecord,
  type WorkOptions,
  WorkParams,
} from '../contracts/index.ts';
import {
  type Assignment,
  type Caller,
  endOfStop,
  endOfWork,
  type FlowContext,
  type FlowEnd,
  type History,
  type PreparedAssignment,
  resolveWork,
  WorkSession,
} from '../dispatch/index.ts';
import { RlmError } from '../errors.ts';
import type { RunHandle, TakeOver } from '../runs/index.ts';
import { Launches } from './launches.ts';
import { readPlan, revisePlan } from './plan.ts';
import { readyTasks, retryTask } from './ready.ts';
import { addRequests, RequestFollower, type StandingOrder } from './requests.ts';
import { draftOf, prepareTask } from './task-assignment.ts';
import { readTaskStates } from './task-states.ts';

/** What the driver of a plan's stage is started with. `requested.jsonl` names the tasks. */
export const PlanParams = WorkParams.extend({ worker: z.enum(['auto', 'codex', 'claude', 'command']) });
export type PlanParams = z.infer<typeof PlanParams>;

/** What a caller may say about who works on tasks: workers, models and limits are those of the plan and its tiers. */
export type StageOptions = Pick<
  WorkOptions,
  'command' | 'profile' | 'codex_home' | 'timeout_sec' | 'idle_timeout_sec'
> & { worker?: PlanParams['worker'] | undefined };

/**
 * The parameters of a stage.
 *
 * @param parallel workers at a time
 * @param budget of the plan; its `max_workers` and `max_iterations` are kept before tasks are requested
 * @throws RlmError `usage`, `not_found` or `unavailable`
 */
export function stageParams(
  options: StageOptions,
  parallel: number,
  budget: PlanBudget,
  caller: Caller,
): PlanParams {
  const { max_workers: _workers, max_iterations: _iterations, ...budgetOfCalls } = budget;
  const { limits } = caller.config;
  const params = resolveWork(
    {
      ...options,
      ...budgetOfCalls,
      timeout_sec: options.timeout_sec ?? limits.task_timeout_sec,
      idle_timeout_sec: options.idle_timeout_sec ?? limits.task_idle_timeout_sec,
      parallel,
      // A report that only lacks a part is asked for once more.
      retries: Math.min(1, limits.retries),
      cache: false,
    },
    // The model of a task is that of its tier, whatever the batch runner's variables say.
    { ...caller, environment: { ...caller.environment, CODEX_SUBAGENT_MODEL: undefined } },
  );
  const checked = PlanParams.safeParse(params);
  if (checked.success) return checked.data;
  throw new RlmError('unavailable', `worker '${params.worker}' cannot carry out tasks: it writes no files`, {
    hint: 'Use codex, claude, or a command.',
  });
}

/** Nothing came of these launches, and not through the task: on resume the same task is launched after all. */
const STOPPED: ReadonlySet<string> = new Set(['quota', 'auth', 'config', 'budget']);

/**
 * The map-reduce flow: launches what `requested.jsonl` names, each task once, and under a standing order what becomes
 * ready as well, until nothing more is requested and nothing runs. A task that failed is never launched again under
 * its id; `rlm_spawn_worker` retries it.
 */
export async function planFlow(context: FlowContext): Promise<FlowEnd> {
  const params = PlanParams.parse(context.params);
  const { run, journal, signal } = context;
  const launches = await Launches.follow(run, journal);
  const open = settleInterrupted(context, launches);
  const launched = new Set(launches.records.map((record) => record.worker_id));
  for (const id of open) launched.delete(id);
  const underWay = new Set<string>();
  const session = await openSession(context, params);
  try {
    const follower = await RequestFollower.open(run, {
      signal,
      wanted(ids) {
        const planned = new Set(readPlan(run).tasks.map((task) => task.worker_id));
        const wanted = [...new Set(ids)].filter((id) => planned.has(id) && !launched.has(id));
        for (const id of wanted) {
          launched.add(id);
          underWay.add(id);
        }
        return wanted;
      },
      ready: (order) => standingReady(run, order, underWay).filter((id) => !launched.has(id)),
      onMore: (added) =>
        journal.append({
          type: 'assignments',
          added,
          carried: 0,
          concurrency: journal.progress.concurrency,
          worker: session.worker.name,
          why: 'more tasks were requested, or became ready',
        }),
      onLimit: (maxInflight) => session.raiseParallel(maxInflight),
    });
    const assignments = async function* () {
      for await (const id of follower.tasks()) {
        yield {
          ...assignment(id, context, session, params),
          onDone() {
            publishLeft(run, id);
            underWay.delete(id);
            follower.done();
          },
        };
      }
    };
    // The counts are those of the whole run, as its attempts and tokens are.
    const before = launches.results;
    const count = {
      added: follower.waiting + before.accepted + before.failed,
      carried: before.accepted,
      failed: before.failed,
    };
    const stop = await session.dispatch(assignments(), count);
    return stop === undefined ? endOf(run) : endOfStop(stop);
  } finally {
    await session.close();
  }
}

/**
 * Plans and requests anew what a cancel, or the death of its driver, ended: each task under a new id, with its
 * lineage. For a run that is about to be resumed; a task that failed by itself is left to its orchestrator.
 *
 * @returns the new ids
 */
export async function relaunchInterrupted(run: RunHandle, takeOver: TakeOver): Promise<string[]> {
  const { root } = run.record;
  // What the journal has accepted is not launched again, also where its driver died before it said so elsewhere.
  const { records } = await Launches.rebuild(run);
  const { plan, state } = readTaskStates(root, run);
  const launches = new Map(records.map((record) => [record.worker_id, record]));
  const interrupted = state.tasks.filter(({ worker_id, running, retried_by }) => {
    const launch = launches.get(worker_id);
    if (launch === undefined || running || retried_by.length > 0) return false;
    return launch.finished_at === null || launch.failure_class === 'cancelled';
  });
  if (interrupted.length === 0) return [];
  const tasks = interrupted.map((task) => retryTask(plan, state, task.worker_id));
  // Its paths were checked when the first of the lineage was planned.
  revisePlan(root, run.id, { tasks }, { inputRoots: 'any', takeOver });
  const now = readTaskStates(root, run);
  const rules = { maxInflight: Number.POSITIVE_INFINITY, allowJoin: true, allowRefill: true };
  const ready = (['map', 'verify'] as const).flatMap(
    (stage) => readyTasks(now.plan, now.state, { stage, ...rules }).ready,
  );
  const ids = new Set(tasks.map((task) => task.worker_id));
  const workerIds = ready.map((task) => task.worker_id).filter((id) => ids.has(id));
  addRequests(run, { workerIds });
  return workerIds;
}

/** A task that failed counts as done once others that retry it are. */
function endOf(run: RunHandle): FlowEnd {
  const launched = readTaskStates(run.record.root, run).state.tasks.filter((task) => task.launched);
  const counts = { accepted: launched.filter((task) => task.satisfied).length, total: launched.length };
  const notes = counts.total === 0 ? ['nothing was left to launch'] : [];
  return endOfWork(counts, 'tasks have no accepted report', notes);
}

function openSession(context: FlowContext, params: PlanParams): Promise<WorkSession> {
  const tiers = Object.values(context.config.values.tiers);
  return WorkSession.open(context, params, {
    modelsOf: (worker) => tiers.map((tier) => (worker === 'claude' ? tier.claude_model : tier.model)),
    needsTools: true,
  });
}

/**
 * The tasks that a standing order launches now, from the disk as it is.
 *
 * @param underWay what the driver was given and is not done with
 */
function standingReady(run: RunHandle, order: StandingOrder, underWay: ReadonlySet<string>): string[] {
  const { plan, state } = readTaskStates(run.record.root, run);
  const running = new Set(state.tasks.filter((task) => task.running).map((task) => task.worker_id));
  const { ready } = readyTasks(plan, state, {
    stage: order.stage,
    maxInflight: order.max_inflight,
    allowJoin: order.allow_join,
    allowRefill: true,
    pending: new Set([...underWay].filter((id) => !running.has(id))),
  });
  return ready.map((task) => task.worker_id);
}

/**
 * Launches of earlier drivers that have no result get one: one that nobody saw end died with its driver.
 *
 * @returns the tasks that a stop kept from working
 */
function settleInterrupted({ run, journal, history }: FlowContext, launches: Launches): string[] {
  const open: string[] = [];
  for (const record of launches.records) {
    const { worker_id: id, failure_class, failure_message } = record;
    if (launches.hasResult(id)) continue;
    publishLeft(run, id);
    const ended = record.finished_at !== null && failure_class !== null;
    if (ended && STOPPED.has(failure_class)) {
      open.push(id);
      continue;
    }
    const failure = ended
      ? { class: failure_class, message: failure_message ?? '' }
      : { class: 'crashed' as const, message: 'its driver died while it ran' };
    journal.append({ type: 'result', result: failedResult(record, failure, history) });
  }
  return open;
}

/** A worker that failed may have written a part of its report: that is better than none. */
function publishLeft(run: RunHandle, id: string): void {
  const task = readPlan(run).tasks.find((candidate) => candidate.worker_id === id);
  try {
    if (task !== undefined) draftOf(run, task).publish();
  } catch (error) {
    // The launch has failed anyway, and nothing is to be read of it.
    if (!(error instanceof RlmError)) throw error;
  }
}

function failedResult(
  record: LaunchRecord,
  failure: { class: NonNullable<LaunchRecord['failure_class']>; message: string },
  history: History,
): ResultRecord {
  const before = history.attempts.get(record.worker_id);
  return {
    id: record.worker_id,
    status: 'failed',
    attempts: before?.last ?? record.attempt,
    usage: before?.usage ?? NO_USAGE,
    cost_usd: before?.costUsd ?? null,
    duration_ms: 0,
    worker: 'unknown',
    model: null,
    cache_hit: false,
    failure_class: failure.class,
    errors: failure.message === '' ? [] : [failure.message],
    log_paths: [record.log],
    key: '',
  };
}

/** A task for dispatch. It is described when its turn comes, from the disk as it is then. */
function assignment(
  id: string,
  { run, config }: FlowContext,
  session: WorkSession,
  params: PlanParams,
): Assignment {
  return {
    id,
    async prepare(): Promise<PreparedAssignment> {
      const { plan, state } = readTaskStates(run.record.root, run);
      const task = plan.tasks.find((candidate) => candidate.worker_id === id);
      if (task === undefined) throw new RlmError('not_found', `task '${id}' is no longer in the plan`);
      return prepareTask(run, plan, state, task, config.values, {
        worker: session.worker.name,
        timeoutMs: params.timeout_sec * 1000,
      });
    },
  };
}
