export { type ArchiveOptions, type ArchiveResult, archiveRun, readArchivedTo } from './archive.ts';
export { type ArchiveListItem, listArchiveIds, listArchives, readArchiveMeta } from './archive-list.ts';
export { type CleanupResult, cleanArchives } from './cleanup.ts';
export { type Clock, systemClock } from './clock.ts';
export { driverAlive, lockDriver, requireNoDriver } from './driver-lock.ts';
export { archivePath, inUseBy, markInUse, unmarkInUse } from './in-use.ts';
export { RUN_FILES, runsDirectory, stateDirectory } from './layout.ts';
export { listRunIds, listRuns, type RunListItem } from './list.ts';
export {
  holdOrchestratorLock,
  type OrchestratorLockState,
  orchestratorLock,
  releaseAllOrchestratorLocks,
  releaseOrchestratorLock,
  STALE_LOCK_HOURS,
} from './orchestrator-lock.ts';
export {
  createRun,
  ensureStateDirectory,
  newRunId,
  openRun,
  openRunDirectory,
  type RunHandle,
  unreadable,
} from './run.ts';
