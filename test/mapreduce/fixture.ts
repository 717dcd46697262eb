import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { InflightFile, type LaunchRecord, type PlanInput, RUN_FILES } from '../../src/contracts/index.ts';
import { ownIdentity, type ProcessIdentity } from '../../src/files/index.ts';
import { createPlan, type PlanResult } from '../../src/mapreduce/index.ts';
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

/** A report that says what each must say, and a verdict besides where that is wanted. */
export function reportWith(text: string, verdict?: string): string {
  const line = verdict === undefined ? '' : `\nVerdict: ${verdict}\n`;
  return `${text}\n${line}\n# Contract Compliance\nContract read: yes.\n`;
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

type LaunchEnd = Pick<LaunchRecord, 'exit_code' | 'failure_class' | 'failure_message' | 'report_sha256'>;

/** Writes `inflight.json` as a driver does: by default one that lives (this process). */
export function inflightLog({ run }: PlanResult, driver: ProcessIdentity = ownIdentity()) {
  const path = join(run.dir, RUN_FILES.inflight);
  const change = (id: string, next: (before: LaunchRecord | undefined) => LaunchRecord) => {
    const workers = existsSync(path)
      ? InflightFile.parse(JSON.parse(readFileSync(path, 'utf8'))).workers
      : [];
    const records = new Map(workers.map((record) => [record.worker_id, record]));
    records.set(id, next(records.get(id)));
    mkdirSync(dirname(path), { recursive: true });
    const file = { schema_version: 1, run_id: run.id, workers: [...records.values()] };
    writeFileSync(path, JSON.stringify(InflightFile.parse(file)));
  };
  return {
    started(worker_id: string, attempt: number, log: string, process?: ProcessIdentity, worker?: string) {
      change(worker_id, () => ({
        ...{ worker_id, attempt, log, ...process, driver, ...(worker === undefined ? {} : { worker }) },
        ...{ started_at: new Date().toISOString(), finished_at: null },
        ...{ exit_code: null, failure_class: null, failure_message: null, report_sha256: null },
      }));
    },
    ended(id: string, end: LaunchEnd) {
      change(id, (before) => {
        if (before === undefined) throw new Error(`${id} was never started`);
        return { ...before, ...end, finished_at: new Date().toISOString() };
      });
    },
  };
}

export const ACCEPTED = { exit_code: 0, failure_class: null, failure_message: null, report_sha256: null };
