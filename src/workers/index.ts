export { currentDepth, DEPTH_VARIABLE, RUN_VARIABLE, workerEnvironment } from './environment.ts';
export { Launcher } from './launcher.ts';
export { serveLauncher } from './launcher-process.ts';
export { askProgram } from './probe.ts';
export { killAllGroups, launchThrough } from './process.ts';
export { createWorker } from './select.ts';
export { endSurvivors } from './survivors.ts';
export type {
  MaterialPart,
  Sandbox,
  Worker,
  WorkerName,
  WorkRequest,
  WorkResult,
} from './worker.ts';
