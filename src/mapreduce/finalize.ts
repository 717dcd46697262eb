import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type FinalInput,
  FinalReport,
  type Plan,
  type ReduceState,
  RUN_FILES,
  SCHEMA_VERSION,
} from '../contracts/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { hashFile, readLineBatches, resolveInside, writeJsonAtomic } from '../files/index.ts';
import { holdOrchestratorLock, type RunHandle, requireNotArchived, type TakeOver } from '../runs/index.ts';
import { collectDeferred } from './deferred.ts';
import { takeInventory } from './inventory.ts';
import { fromRoot } from './plan-rules.ts';
import { missingParts } from './run-contract.ts';
import { type VerifyStage, verifyStage } from './verify.ts';

/**
 * The gate to `final.json`: everything is read back from disk first, and what was read is listed.
 *
 * @throws RlmError `conflict` while workers run, without a completed verify stage that was not waived, or when an
 *   accepted report was changed since; `usage` for evidence that is not there
 */
export async function finalizePlan(
  root: string,
  run: RunHandle,
  input: FinalInput,
  options: { now?: Date; takeOver?: TakeOver } = {},
): Promise<FinalReport> {
  requireNotArchived(run);
  holdOrchestratorLock(root, run.id, options);
  const now = options.now ?? new Date();
  const { plan, state } = takeInventory(root, run, { now });
  refuseWhileRunning(run, state);
  const verify = verifyStage(state);
  if (!verify.completed && input.waive_verify === undefined) throw verifyMissing(run, verify);
  refuseChangedReports(state);
  const reports = state.tasks.filter((task) => task.state === 'ok').map((task) => task.report_path);
  const given = [
    ...input.conclusions.flatMap((c) => c.evidence_paths ?? []),
    ...(input.evidence_paths ?? []),
  ];
  await refuseMissingEvidence(root, [...new Set(given)]);
  const deferred = await collectDeferred(root, run, now);
  const final: FinalReport = {
    schema_version: SCHEMA_VERSION,
    run_id: run.id,
    created_at: now.toISOString(),
    goal_summary: plan.goal_summary,
    termination_decision: { ...input.termination_decision, budget_used: budgetUsed(plan, state, now) },
    conclusions: input.conclusions.map(({ text, evidence_paths = [] }) => ({ text, evidence_paths })),
    evidence_paths: [...new Set([...reports, ...given])],
    open_questions: input.open_questions ?? [],
    verify: {
      completed: verify.completed,
      tasks: verify.tasks,
      verdicts: verify.verdicts,
      waived_because: verify.completed ? null : (input.waive_verify ?? null),
    },
    unfinished_tasks: state.tasks
      .filter((task) => !task.satisfied && task.retried_by.length === 0)
      .map(({ worker_id, state }) => ({ worker_id, state })),
    deferred_opportunities: deferred.items,
    missing_contract_parts: missingParts(plan.contract).map(({ field }) => field),
    rehydrated_from: rehydratedFrom(root, run),
  };
  writeJsonAtomic(join(run.dir, RUN_FILES.final), FinalReport.parse(final), { sync: true });
  return final;
}

function refuseWhileRunning(run: RunHandle, state: ReduceState): void {
  const running = state.tasks.filter((task) => task.running).map((task) => task.worker_id);
  if (running.length === 0) return;
  throw new RlmError('conflict', `${running.length} workers still run: ${running.slice(0, 5).join(', ')}`, {
    hint: {
      text: 'Wait for them, or cancel the run.',
      action: { tool: 'rlm_wait', args: { run_id: run.id } },
    },
    retryable: true,
  });
}

function verifyMissing(run: RunHandle, verify: VerifyStage): RlmError {
  return new RlmError(
    'conflict',
    verify.tasks.length === 0
      ? 'there is no verify stage: the plan has no verify task'
      : `the verify stage is not complete: ${whatIsOpen(verify)}`,
    {
      hint:
        verify.tasks.length === 0 || verify.open.length === 0
          ? {
              text: 'Add verify tasks to the plan (verify) and run them, or waive the stage with a reason.',
              action: { tool: 'rlm_plan', args: { run_id: run.id } },
            }
          : {
              text: 'Run the verify stage, or waive it with a reason.',
              action: { tool: 'rlm_run_ready', args: { run_id: run.id, stage: 'verify' } },
            },
    },
  );
}

function whatIsOpen({ open, unverified }: VerifyStage): string {
  if (open.length > 0) return `${open.slice(0, 5).join(', ')} without an accepted report`;
  if (unverified.length === 0) return 'no map task has an accepted report that it could verify';
  const more = unverified.length > 5 ? ` and ${unverified.length - 5} more` : '';
  return `${unverified.slice(0, 5).join(', ')}${more} reported after the last verify task was launched`;
}

/** A report must be what was accepted: another worker of the same sandbox could have written over it. */
function refuseChangedReports(state: ReduceState): void {
  const changed = state.tasks.filter((task) => task.state === 'changed' && !task.satisfied);
  if (changed.length === 0) return;
  const ids = changed.map((task) => task.worker_id);
  throw new RlmError(
    'conflict',
    `${ids.length} reports were changed after they were accepted: ${ids.slice(0, 20).join(', ')}${ids.length > 20 ? ' …' : ''}`,
    {
      hint: {
        text: 'Restore them, or retry those tasks.',
        action: { tool: 'rlm_spawn_worker', args: { run_id: state.run_id, retry_of: ids[0] } },
      },
    },
  );
}

async function refuseMissingEvidence(root: string, given: readonly string[]): Promise<void> {
  const problems: string[] = [];
  for (const evidence of given) {
    const problem = await evidenceProblem(root, evidence);
    if (problem !== undefined) problems.push(problem);
  }
  if (problems.length === 0) return;
  const more = problems.length > 5 ? ` and ${problems.length - 5} more` : '';
  throw new RlmError('usage', `evidence_paths: ${problems.slice(0, 5).join('; ')}${more}`, {
    hint: 'Name files that exist under the root, and lines that they have.',
  });
}

async function evidenceProblem(root: string, evidence: string): Promise<string | undefined> {
  const range = /^(.+?):(\d+)(?:-(\d+))?$/.exec(evidence);
  try {
    // A file may be called `a:1`: the whole text is tried as a path first.
    if (statSync(resolveInside(root, evidence, 'evidence'), { throwIfNoEntry: false }) !== undefined)
      return undefined;
    const path = resolveInside(root, range?.[1] ?? evidence, 'evidence');
    if (!statSync(path, { throwIfNoEntry: false })) return `'${evidence}' does not exist`;
    if (range === null) return undefined;
    const first = Number(range[2]);
    const last = Number(range[3] ?? range[2]);
    if (first < 1 || last < first) return `'${evidence}' is not a range of lines`;
    return (await hasLines(path, last)) ? undefined : `'${evidence}' has fewer lines than ${last}`;
  } catch (error) {
    return messageOf(error);
  }
}

async function hasLines(path: string, wanted: number): Promise<boolean> {
  for await (const batch of readLineBatches(path)) if ((batch.at(-1)?.line ?? 0) >= wanted) return true;
  return false;
}

function budgetUsed(plan: Plan, state: ReduceState, now: Date) {
  return {
    iterations: plan.rounds,
    workers: state.tasks.filter((task) => task.launched).length,
    minutes: Math.max(0, Math.round((now.getTime() - Date.parse(plan.created_at)) / 600) / 100),
  };
}

/** The state files a decision rests on, as they are on disk now. */
function rehydratedFrom(root: string, run: RunHandle): FinalReport['rehydrated_from'] {
  const files = [
    RUN_FILES.plan,
    RUN_FILES.contract,
    RUN_FILES.inflight,
    RUN_FILES.reduceState,
    RUN_FILES.deferred,
  ];
  return files
    .map((file) => join(run.dir, file))
    .filter((path) => existsSync(path))
    .map((path) => ({
      path: fromRoot(root, path),
      sha256: hashFile(path).sha256,
    }));
}
