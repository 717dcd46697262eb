import { join } from 'node:path';

/** Every file and directory of a run, relative to the run's directory. */
export const RUN_FILES = {
  run: 'run.json',
  activity: 'activity.json',
  /** The journal. */
  events: 'events.jsonl',
  jobs: 'jobs.jsonl',
  summary: 'summary.json',
  /** A request to end the activity. */
  cancel: 'cancel.json',
  driverLock: 'driver.lock',
  /** Where an archived run went. */
  archivedTo: 'archived_to.json',

  prompts: 'prompts',
  logs: 'logs',
  driverLog: 'logs/driver.log',
  subresults: 'subresults',

  /** Extracted and transcoded texts of documents. */
  inputs: 'inputs',
  chunks: 'chunks',
  corpus: 'chunks/corpus.json',
  manifest: 'chunks/manifest.jsonl',
  sources: 'chunks/sources.jsonl',
  /** A fixed-width index of the manifest. */
  spans: 'chunks/spans.bin',

  ask: 'ask',
  askState: 'ask/state.json',
  ingestReport: 'ask/ingest.json',
  preview: 'ask/preview.json',
  expansion: 'ask/expansion.json',
  answerSchema: 'ask/worker-answer.schema.json',
  evidence: 'reduce/evidence.json',
  coverage: 'reduce/coverage.json',
  answer: 'out/answer.json',
  /** Every result with its answer, a line each. */
  results: 'out/results.jsonl',

  plan: 'plan.json',
  contract: 'artifacts/context/run_contract.md',
  reports: 'artifacts/reports',
  drafts: 'artifacts/drafts',
  inflight: 'artifacts/scheduler/inflight.json',
  requested: 'artifacts/scheduler/requested.jsonl',
  taken: 'artifacts/scheduler/taken.json',
  reduceState: 'reduce_state.json',
  deferred: 'deferred.json',
  final: 'final.json',

  refine: 'refine',
  refineState: 'refine/state.json',
  iterations: 'refine/iterations',
  turns: 'refine/turns',
  validator: 'refine/validator',
  snapshots: 'refine/snapshots',
  protected: 'refine/protected',
  refinePatch: 'refine/result.patch',
} as const;

/** Files of an archive, relative to its directory. */
export const ARCHIVE_FILES = { meta: 'meta.json', run: 'run', inUseBy: 'in_use_by' } as const;

/** `.rlm` of a root: all state is below it. */
export function stateDirectory(root: string): string {
  return join(root, '.rlm');
}

export function configPath(root: string): string {
  return join(root, '.rlm', 'config.json');
}

export function runsDirectory(root: string): string {
  return join(root, '.rlm', 'runs');
}

export function archiveDirectory(root: string): string {
  return join(root, '.rlm', 'archive');
}

export function locksDirectory(root: string): string {
  return join(root, '.rlm', 'locks');
}

/** What can be made again: it may be removed at any time. */
export function cacheDirectory(root: string, of: 'answers' | 'corpora' | 'embeddings' | 'probes'): string {
  return join(root, '.rlm', 'cache', of);
}

export function cleanupLogPath(root: string): string {
  return join(root, '.rlm', 'cleanup.log');
}

/** Homes and instruction files of worker programs. */
export function workersDirectory(root: string): string {
  return join(root, '.rlm', 'workers');
}
