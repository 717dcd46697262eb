export { currentDepth, DEPTH_VARIABLE, RUN_VARIABLE, workerEnvironment } from './environment.ts';
export { Launcher, serveLauncher } from './launcher.ts';
export { askProgram } from './probe.ts';
export { endSurvivors, killAllGroups, launchThrough } from './process.ts';
export { createWorker } from './select.ts';
export type {
  MaterialPart,
  Sandbox,
  Worker,
  WorkerName,
  WorkRequest,
  WorkResult,
} from './worker.ts';
