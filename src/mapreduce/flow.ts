import { dirname } from 'node:path';
import {
  type LaunchRecord,
  NO_USAGE,
  type Plan,
  type Progress,
  type ResultRecord,
  type Task,
} from '../contracts/index.ts';
import {
  type Assignment,
  endOfStop,
  type FlowContext,
  type FlowEnd,
  type History,
  type PreparedAssignment,
  WorkSession,
} from '../dispatch/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { ensureDirectory, ownIdentity } from '../files/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { sha256 } from '../text/index.ts';
import { taskAssignment } from './assignment.ts';
import { draftPath, publishDraft } from './draft.ts';
import { followRequests } from './follow-requests.ts';
import { InflightLog, readInflight } from './inflight.ts';
import { lookAtTasks } from './inventory.ts';
import { PlanParams } from './params.ts';
import { readPlan } from './plan.ts';
import { readyTasks } from './ready.ts';
import { type RecordedWorker, recordedWorker } from './recorded-worker.ts';
import type { StandingOrder } from './requests.ts';

/** Nothing came of these launches, and not through the task: on resume the same task is launched after all. */
const STOPPED: ReadonlySet<string> = new Set(['quota', 'auth', 'config']);

/**
 * The map-reduce flow: launches what `requested.jsonl` names, each task once, and under a standing order what becomes
 * ready as well, until nothing more is requested and nothing runs. A task that failed is never launched again under
 * its id; `rlm_spawn_worker` retries it.
 */
export async function planFlow(context: FlowContext): Promise<FlowEnd> {
  const params = PlanParams.parse(context.params);
  const { run, journal, signal } = context;
  const log = new InflightLog(run, ownIdentity());
  const earlier = settleEarlier(context, log);
  const launched = new Set(readInflight(run).workers.map((record) => record.worker_id));
  for (const id of earlier.open) launched.delete(id);
  const underWay = new Set<string>();
  const { session, settled } = await openSession(context, params, log);
  try {
    const source = await followRequests(run, {
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
    });
    const assignments = source.follow((id, done) =>
      assignment(id, context, session, params, () => {
        settled(id);
        underWay.delete(id);
        done();
      }),
    );
    const stop = await session.dispatch(assignments, { added: source.first + earlier.count, carried: 0 });
    return stop === undefined ? endOf(journal.progress) : endOfStop(stop);
  } finally {
    await session.close();
  }
}

function endOf({ accepted, total }: Progress): FlowEnd {
  if (total === 0) return { state: 'completed', reason: 'nothing was left to launch' };
  const left = total - accepted;
  if (left === 0) return { state: 'completed' };
  return { state: 'completed', reason: `${left} of ${total} tasks ended without an accepted report` };
}

/** A session whose launches are kept on record; `settled` tells the record that dispatch is done with a task. */
async function openSession(
  context: FlowContext,
  params: PlanParams,
  log: InflightLog,
): Promise<{ session: WorkSession; settled: (id: string) => void }> {
  const { run, config } = context;
  const tiers = Object.values(config.values.tiers);
  let recorded: RecordedWorker | undefined;
  const session = await WorkSession.open(context, params, {
    transientOnly: true,
    modelsOf: (worker) => tiers.map((tier) => (worker === 'claude' ? tier.claude_model : tier.model)),
    around(worker) {
      recorded = recordedWorker(worker, run, log, (id) => taskOf(readPlan(run), id));
      return recorded;
    },
  });
  if (session.worker.name !== 'extractive') return { session, settled: (id) => recorded?.settled(id) };
  await session.close();
  throw new RlmError('unavailable', 'no worker can carry out tasks: neither Codex nor Claude is ready', {
    hint: {
      text: 'Install one and log in, or give a command.',
      action: { tool: 'rlm_doctor', args: {} },
    },
  });
}

/**
 * The tasks that a standing order launches now, from the disk as it is.
 *
 * @param underWay what the driver was given and is not done with
 */
function standingReady(run: RunHandle, order: StandingOrder, underWay: ReadonlySet<string>): string[] {
  const { plan, state } = lookAtTasks(run.record.root, run);
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
 * What earlier drivers left without a result gets one, so that journal and launches say the same: a launch that
 * nobody saw end died with its driver.
 *
 * @returns how many results were added, and the tasks that a stop kept from working
 */
function settleEarlier(
  { run, journal, history }: FlowContext,
  log: InflightLog,
): { count: number; open: string[] } {
  const open: string[] = [];
  let count = 0;
  for (const record of readInflight(run).workers) {
    const id = record.worker_id;
    if (history.accepted.get(id) || history.failed.get(id)) continue;
    if (record.finished_at === null) {
      publishLeft(run, id);
      log.ended(id, DIED);
    }
    const ended: LaunchRecord = record.finished_at === null ? { ...record, ...DIED } : record;
    if (ended.failure_class !== null && STOPPED.has(ended.failure_class)) {
      open.push(id);
      continue;
    }
    journal.append({ type: 'result', result: resultOf(ended, history) });
    count += 1;
  }
  return { count, open };
}

/** What a worker had written when its driver died is its report so far. */
function publishLeft(run: RunHandle, id: string): void {
  const task = readPlan(run).tasks.find((candidate) => candidate.worker_id === id);
  try {
    if (task !== undefined) publishDraft(run, task);
  } catch (error) {
    // The launch has failed anyway, and nothing is to be read of it.
    if (!(error instanceof RlmError)) throw error;
  }
}

const DIED = {
  exit_code: null,
  failure_class: 'crashed',
  failure_message: 'its driver died while it ran',
  report_sha256: null,
} as const;

function resultOf(record: LaunchRecord, history: History): ResultRecord {
  const before = history.attempts.get(record.worker_id);
  const failed = record.failure_class !== null;
  return {
    id: record.worker_id,
    status: failed ? 'failed' : 'accepted',
    attempts: before?.last ?? record.attempt,
    usage: before?.usage ?? NO_USAGE,
    cost_usd: before?.costUsd ?? null,
    duration_ms: 0,
    worker: 'unknown',
    model: null,
    cache_hit: false,
    failure_class: record.failure_class,
    errors: record.failure_message === null ? [] : [record.failure_message],
    log_paths: [record.log],
    key: '',
  };
}

/** A task for dispatch. It is described when its turn comes, from the disk as it is then. */
function assignment(
  id: string,
  context: FlowContext,
  session: WorkSession,
  params: PlanParams,
  settled: () => void,
): Assignment {
  return {
    id,
    onDone: settled,
    async prepare(): Promise<PreparedAssignment> {
      const task = describe(context, session, id);
      // A sandbox opens directories: its own, and those of files that a task is to create, must be there.
      ensureDirectory(dirname(draftPath(context.run, task.task)));
      if (task.sandbox.mode === 'workspace-write') makeDirectoriesOf(id, task.sandbox.writable);
      return {
        key: sha256(`${task.model}\n${task.effort}\n${task.prompt}`),
        cacheKey: null,
        call: () => ({
          instructions: '',
          input: task.prompt,
          model: task.model,
          effort: task.effort,
          sandbox: task.sandbox,
          tools: true,
          cwd: task.cwd,
          timeoutMs: params.timeout_sec * 1000,
        }),
        // The worker's record has accepted the report already; its answer is the report's sha256.
        accept: (sha256) => ({ ok: true, text: sha256 }),
        commit: (sha256) => ({ output_path: task.reportPath, output_sha256: sha256 }),
      };
    },
  };
}

function makeDirectoriesOf(id: string, paths: readonly string[]): void {
  for (const path of paths) {
    try {
      ensureDirectory(dirname(path));
    } catch (error) {
      throw new RlmError('usage', `owned_paths of task '${id}': ${messageOf(error)}`);
    }
  }
}

function taskOf(plan: Plan, id: string): Task {
  const task = plan.tasks.find((candidate) => candidate.worker_id === id);
  if (task !== undefined) return task;
  throw new RlmError('not_found', `task '${id}' is no longer in the plan`);
}

function describe({ run, config }: FlowContext, session: WorkSession, id: string) {
  const { root } = run.record;
  const { plan, state } = lookAtTasks(root, run);
  return taskAssignment(root, run, plan, state, taskOf(plan, id), config.values, session.worker.name);
}
