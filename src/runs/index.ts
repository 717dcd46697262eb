export { driverAlive, lockDriver, requireNoDriver } from './driver-lock.ts';
export { RUN_FILES, runsDirectory, stateDirectory } from './layout.ts';
export { listRunIds, listRuns, type RunListItem } from './list.ts';
export {
  createRun,
  ensureStateDirectory,
  newRunId,
  openRun,
  openRunDirectory,
  type RunHandle,
  unreadable,
} from './run.ts';
