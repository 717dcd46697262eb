export { type ArchiveOptions, archiveRun, readArchivedTo, requireNotArchived } from './archive.ts';
export { listArchiveIds, listArchives } from './archive-list.ts';
export { cleanArchives } from './cleanup.ts';
export type { Clock } from './clock.ts';
export { driverAlive, driverElsewhere, isInterrupted, lockDriver, requireNoDriver } from './driver-lock.ts';
export { archivePath, inUseBy, markInUse, unmarkInUse } from './in-use.ts';
export { listRunIds, listRuns } from './list.ts';
export {
  holdOrchestratorLock,
  orchestratorLock,
  releaseAllOrchestratorLocks,
  releaseOrchestratorLock,
  type TakeOver,
} from './orchestrator-lock.ts';
export { readRecord } from './record.ts';
export {
  createRun,
  newRunId,
  openRun,
  openRunDirectory,
  type RunHandle,
} from './run.ts';
