export {
  DIRECTORY_MODE,
  ensureDirectory,
  FILE_MODE,
  removeAbandoned,
  removeIfEmpty,
  syncFile,
  temporaryName,
  writeFileAtomic,
  writeJsonAtomic,
} from './atomic.ts';
export {
  type FileHash,
  fileMark,
  hashFile,
  openFile,
  readAt,
  readInto,
  readTextFile,
  writeAll,
} from './bytes.ts';
export {
  JsonlAppender,
  type JsonlLine,
  LineSplitter,
  parseLine,
  readLineBatches,
  readLines,
} from './jsonl.ts';
export { acquireLock, type HeldLock, LockHolder, readLock } from './lock.ts';
export { insideOf, isInside, packageRoot, resolveInside } from './paths.ts';
export { ProcessIdentity } from './process-identity.ts';
export { isAlive, ownIdentity, processStart } from './process-start.ts';
