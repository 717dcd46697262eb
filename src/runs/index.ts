export { type ArchiveOptions, archiveRun, readArchivedTo, requireNotArchived } from './archive.ts';
export { archivePath, inUseBy, listArchiveIds, listArchives, markInUse, unmarkInUse } from './archives.ts';
export type { Clock } from './cleanup.ts';
export { cleanArchives } from './cleanup.ts';
export { listRunIds, listRuns } from './list.ts';
export {
  driverAlive,
  driverElsewhere,
  holdOrchestratorLock,
  isInterrupted,
  lockDriver,
  lockWorkingTree,
  orchestratorLock,
  releaseAllOrchestratorLocks,
  releaseOrchestratorLock,
  requireFreeWorkingTree,
  requireNoDriver,
  type TakeOver,
} from './locks.ts';
export {
  createRun,
  newRunId,
  openRun,
  openRunDirectory,
  type RunHandle,
  readRecord,
} from './run.ts';
