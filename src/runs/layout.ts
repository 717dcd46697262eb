import { join } from 'node:path';

/** Names of a run's own files (DESIGN.md, "On disk"). All lie in the run directory. */
export const RUN_FILES = {
  run: 'run.json',
  activity: 'activity.json',
  events: 'events.jsonl',
  jobs: 'jobs.jsonl',
  summary: 'summary.json',
  driverLock: 'driver.lock',
  /** Somebody asked for the end of the activity. */
  cancel: 'cancel.json',
  driverLog: 'logs/driver.log',
  prompts: 'prompts',
  logs: 'logs',
  subresults: 'subresults',
  answer: 'out/answer.json',
} as const;

/** Where things lie under a root. */
export function stateDirectory(root: string): string {
  return join(root, '.rlm');
}
export function runsDirectory(root: string): string {
  return join(root, '.rlm', 'runs');
}
