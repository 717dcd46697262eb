export { currentDepth, DEPTH_VARIABLE, RUN_VARIABLE } from './environment.ts';
export { killAllGroups } from './process.ts';
export { createWorker, type WorkerChoice } from './select.ts';
export { endSurvivors } from './survivors.ts';
export type {
  MaterialPart,
  QuotaReading,
  Sandbox,
  Worker,
  WorkerName,
  WorkRequest,
  WorkResult,
} from './worker.ts';
