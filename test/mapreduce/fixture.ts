import { mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { PlanInput } from '../../src/contracts/index.ts';
import { ownIdentity, type ProcessIdentity } from '../../src/files/index.ts';
import { createPlan, InflightLog, type PlanResult } from '../../src/mapreduce/index.ts';
import { releaseAllOrchestratorLocks } from '../../src/runs/index.ts';

/** A root of its own for one test. */
export function temporaryRoot(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'rlm-mapreduce-')));
  onTestFinished(() => {
    releaseAllOrchestratorLocks();
    rmSync(root, { recursive: true, force: true });
  });
  return root;
}

/** A run with a plan. */
export function plannedRun(root: string, input: Partial<PlanInput>, runId = 'run-1'): PlanResult {
  return createPlan(root, { goal_summary: 'Find out', ...input }, { inputRoots: [], runId });
}

/** A process that is certainly gone: this pid with another start. */
export function deadProcess(): ProcessIdentity {
  return { ...ownIdentity(), start: 'gone' };
}

/** Writes the report of a task as a worker would, `ageSeconds` ago. */
export function writeReport(
  root: string,
  plan: PlanResult['plan'],
  id: string,
  text: string,
  ageSeconds = 0,
): void {
  const task = plan.tasks.find((candidate) => candidate.worker_id === id);
  if (task === undefined) throw new Error(`no task ${id}`);
  const path = join(root, task.report_path);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  if (ageSeconds > 0) {
    const then = Date.now() / 1000 - ageSeconds;
    utimesSync(path, then, then);
  }
}

/** The log of a driver: by default one that lives (this process). */
export function inflightLog(result: PlanResult, driver: ProcessIdentity = ownIdentity()): InflightLog {
  return new InflightLog(result.run, driver);
}

export const ACCEPTED = { exit_code: 0, failure_class: null, failure_message: null, report_sha256: null };
