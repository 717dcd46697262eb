import { join, relative, sep } from 'node:path';

/** Names of a map-reduce run's own files, in the run directory. */
export const PLAN_FILES = {
  plan: 'plan.json',
  contract: 'artifacts/context/run_contract.md',
  inflight: 'artifacts/scheduler/inflight.json',
  reports: 'artifacts/reports',
  drafts: 'artifacts/drafts',
  requested: 'artifacts/scheduler/requested.jsonl',
  taken: 'artifacts/scheduler/taken.json',
  reduceState: 'reduce_state.json',
  deferred: 'deferred.json',
  final: 'final.json',
} as const;

/** A path as records and prompts give it: relative to the root, with forward slashes. */
export function fromRoot(root: string, path: string): string {
  const shown = relative(root, path);
  return sep === '/' ? shown : shown.replaceAll(sep, '/');
}

/** Where the report of a task lies unless the plan says otherwise, relative to the root. */
export function defaultReportPath(root: string, runDir: string, workerId: string): string {
  return fromRoot(root, join(runDir, PLAN_FILES.reports, `${workerId}.md`));
}
