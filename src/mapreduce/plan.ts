import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  Plan,
  type PlanInput,
  RUN_FILES,
  runsDirectory,
  SCHEMA_VERSION,
  type Task,
  type TaskInput,
} from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { ensureDirectory, type LockHolder, writeFileAtomic, writeJsonAtomic } from '../files/index.ts';
import {
  createRun,
  holdOrchestratorLock,
  newRunId,
  openRun,
  type RunHandle,
  readRecord,
  requireNotArchived,
  type TakeOver,
} from '../runs/index.ts';
import { readLaunches } from './launches.ts';
import {
  checkHistory,
  checkPlanHints,
  checkTaskPaths,
  checkTasks,
  checkThatPathsExist,
  defaultReportPath,
  type PlanPlaces,
  refusePlan,
} from './plan-rules.ts';
import {
  EMPTY_CONTRACT,
  type MissingPart,
  mergeContract,
  missingParts,
  renderRunContract,
} from './run-contract.ts';

export interface PlanOptions {
  /** Directories outside the root that hint, context and input paths may lie in; `any` at the command line. */
  inputRoots: readonly string[] | 'any';
  /** What to do about another holder of the run's lock; see `holdOrchestratorLock`. */
  takeOver?: TakeOver;
}

export interface PlanResult {
  run: RunHandle;
  plan: Plan;
  /** False when a revision changed nothing: then nothing was written. */
  changed: boolean;
  added: string[];
  replaced: string[];
  removed: string[];
  /** What the run contract does not say, to be asked of the user: for a new plan, and when the contract changed. */
  missing: MissingPart[];
  /** A dead orchestrator whose lock was taken over. */
  tookOverFrom: LockHolder | undefined;
}

/**
 * Creates a run with its plan and contract. Everything is checked before anything is written.
 *
 * @throws RlmError `usage` naming task and field; `conflict` when the run exists or somebody else holds its lock
 */
export function createPlan(
  root: string,
  input: PlanInput,
  options: PlanOptions & { runId?: string },
): PlanResult {
  const runId = options.runId ?? newRunId();
  const runDir = join(runsDirectory(root), runId);
  if (existsSync(join(runDir, RUN_FILES.plan))) {
    throw new RlmError('conflict', `run '${runId}' has a plan already`, { hint: 'Revise it instead.' });
  }
  if (input.goal_summary === undefined) {
    throw new RlmError('usage', 'goal_summary is missing: a new plan needs it');
  }
  const now = new Date().toISOString();
  const empty: Plan = {
    schema_version: SCHEMA_VERSION,
    run_id: runId,
    iteration: 1,
    rounds: 1,
    created_at: now,
    revised_at: now,
    goal_summary: input.goal_summary,
    success_criteria: [],
    budget: {},
    hint_paths: [],
    contract: EMPTY_CONTRACT,
    tasks: [],
  };
  const { plan, added } = applyInput(empty, input, { root, runDir, inputRoots: options.inputRoots });
  checkHistoryAndBudget(empty, plan, new Set());
  // A run whose creator died between the two writes has no plan yet: it is taken up again.
  const run = existsSync(join(runDir, RUN_FILES.run))
    ? openRun(root, runId)
    : createRun(root, { kind: 'plan', title: input.goal_summary, runId });
  if (run.record.kind !== 'plan') {
    throw new RlmError('conflict', `run '${runId}' is a ${run.record.kind} run`, {
      hint: 'Choose another run_id.',
    });
  }
  const lock = holdOrchestratorLock(root, runId, options);
  writePlan(run.dir, plan);
  return {
    run,
    plan,
    changed: true,
    added,
    replaced: [],
    removed: [],
    missing: missingParts(plan.contract),
    tookOverFrom: lock.replaced,
  };
}

/**
 * Changes a plan: what `input` leaves out stays, tasks are added or replaced by id. The plan before is kept as
 * `artifacts/plan.iter-<n>.json`. A task that was launched already cannot be changed or removed.
 */
export function revisePlan(root: string, runId: string, input: PlanInput, options: PlanOptions): PlanResult {
  const run = openRun(root, runId);
  requireNotArchived(run);
  const lock = holdOrchestratorLock(root, runId, options);
  const old = readPlan(run);
  const applied = applyInput(old, input, { root, runDir: run.dir, inputRoots: options.inputRoots });
  checkHistoryAndBudget(old, applied.plan, launchedTasks(root, run, old));
  const changed = JSON.stringify(applied.plan) !== JSON.stringify(old);
  const plan = changed
    ? { ...applied.plan, iteration: old.iteration + 1, revised_at: new Date().toISOString() }
    : old;
  if (changed) {
    const kept = join(run.dir, `artifacts/plan.iter-${old.iteration}.json`);
    ensureDirectory(dirname(kept));
    writeFileAtomic(kept, readFileSync(join(run.dir, RUN_FILES.plan)));
    writePlan(run.dir, plan);
  }
  return {
    run,
    plan,
    changed,
    added: applied.added,
    replaced: applied.replaced,
    removed: applied.removed,
    // Asked for once: a revision that says nothing about the contract does not repeat it.
    missing: input.contract === undefined ? [] : missingParts(plan.contract),
    tookOverFrom: lock.replaced,
  };
}

/** The plan of a run. @throws RlmError `not_found` when it has none, `corrupt` when it cannot be read */
export function readPlan(run: RunHandle): Plan {
  const plan = readRecord(join(run.dir, RUN_FILES.plan), Plan);
  if (plan !== undefined) return plan;
  throw new RlmError('not_found', `run '${run.id}' has no plan`, {
    hint: { text: 'Make one first.', action: { tool: 'rlm_plan', args: { run_id: run.id } } },
  });
}

function applyInput(
  old: Plan,
  input: PlanInput,
  places: PlanPlaces,
): { plan: Plan; added: string[]; replaced: string[]; removed: string[] } {
  const removed = new Set(input.remove_tasks ?? []);
  const tasks = new Map(old.tasks.map((task) => [task.worker_id, task]));
  const unknown = [...removed].filter((id) => !tasks.has(id));
  const problems = unknown.map((id) => ({
    task: id,
    field: 'remove_tasks',
    message: 'no such task in the plan',
  }));
  for (const id of removed) tasks.delete(id);

  const given = (input.tasks ?? []).map((task) =>
    completeTask(task, defaultReportPath(places.root, places.runDir, task.worker_id)),
  );
  const checked = checkTaskPaths(places, given);
  const added: string[] = [];
  const replaced: string[] = [];
  const seen = new Set<string>();
  const twice: Task[] = [];
  for (const task of checked.tasks) {
    if (seen.has(task.worker_id)) twice.push(task);
    else (tasks.has(task.worker_id) ? replaced : added).push(task.worker_id);
    seen.add(task.worker_id);
    tasks.set(task.worker_id, task);
  }
  const list = [...tasks.values()];
  const all = [
    ...problems,
    ...checkPlanHints(places, input.hint_paths ?? []),
    ...checked.problems,
    ...checkThatPathsExist(places, input.hint_paths ?? [], given, list),
    ...checkTasks([...list, ...twice]),
  ];
  if (all.length > 0) throw refusePlan(all);

  const goal = input.goal_summary ?? old.goal_summary;
  const known = new Set(old.tasks.map((task) => task.worker_id));
  const newWork = list.some((t) => !known.has(t.worker_id) && t.mode === 'map' && t.retry_of === undefined);
  return {
    plan: {
      ...old,
      rounds: newWork && old.tasks.length > 0 ? old.rounds + 1 : old.rounds,
      goal_summary: goal,
      success_criteria: input.success_criteria ?? old.success_criteria,
      budget: input.budget ?? old.budget,
      hint_paths: input.hint_paths ?? old.hint_paths,
      contract: mergeContract(old.contract, { goal: old.contract.goal || goal, ...input.contract }),
      tasks: list,
    },
    added,
    replaced,
    removed: [...removed],
  };
}

/** A task with defaults in place; `reportPath` is the default of its report. Paths are not looked at yet. */
function completeTask(input: TaskInput, reportPath: string): Task {
  return {
    worker_id: input.worker_id,
    mode: input.mode ?? 'map',
    granularity: input.granularity ?? 'meso',
    compute_tier: input.compute_tier ?? 'standard',
    goal: input.goal,
    depends_on: [...new Set(input.depends_on ?? [])],
    inputs: input.inputs ?? [],
    context_paths: input.context_paths ?? [],
    hint_paths: input.hint_paths ?? [],
    owned_paths: input.owned_paths ?? [],
    report_path: input.report_path ?? reportPath,
    ...(input.retry_of === undefined ? {} : { retry_of: input.retry_of }),
  };
}

function checkHistoryAndBudget(old: Plan, plan: Plan, launched: ReadonlySet<string>): void {
  const problems = checkHistory(old, plan.tasks, launched);
  if (problems.length > 0) throw refusePlan(problems);
  const limit = plan.budget.max_iterations;
  if (limit !== undefined && plan.rounds > limit && plan.rounds > old.rounds) {
    throw new RlmError('limit', `budget.max_iterations is ${limit}, and this would be round ${plan.rounds}`, {
      hint: 'Finish the run with what there is, or raise the budget in the same call.',
    });
  }
}

/** Tasks that somebody launched, or whose report is there already. */
function launchedTasks(root: string, run: RunHandle, plan: Plan): Set<string> {
  const launched = new Set(readLaunches(run).map((record) => record.worker_id));
  for (const task of plan.tasks) {
    if (launched.has(task.worker_id)) continue;
    const report = statSync(join(root, task.report_path), { throwIfNoEntry: false });
    if (report !== undefined && report.size > 0) launched.add(task.worker_id);
  }
  return launched;
}

/** The contract first: a plan that is there always has its contract. */
function writePlan(runDir: string, plan: Plan): void {
  const contract = join(runDir, RUN_FILES.contract);
  ensureDirectory(dirname(contract));
  ensureDirectory(join(runDir, RUN_FILES.reports));
  writeFileAtomic(contract, renderRunContract(plan.run_id, plan.contract), { sync: true });
  writeJsonAtomic(join(runDir, RUN_FILES.plan), plan, { sync: true });
}
