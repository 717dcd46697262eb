export {
  currentDepth,
  DEPTH_VARIABLE,
  environmentByMarks,
  RUN_VARIABLE,
  workerEnvironment,
} from './environment.ts';
export { Launcher, serveLauncher } from './launcher.ts';
export { endSurvivors, killAllGroups, launchThrough, OwnedProcesses, type ProcessEnd } from './process.ts';
export { runProgram } from './run-program.ts';
export { type Session, startSession } from './session.ts';
