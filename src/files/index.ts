export { removeAbandoned } from './abandoned.ts';
export {
  DIRECTORY_MODE,
  ensureDirectory,
  FILE_MODE,
  temporaryName,
  writeFileAtomic,
  writeJsonAtomic,
} from './atomic.ts';
export { readAt, readInto, writeAll } from './bytes.ts';
export { fileMark } from './file-mark.ts';
export { type FileHash, hashFile } from './hash-file.ts';
export {
  JsonlAppender,
  type JsonlLine,
  parseLine,
  readLineBatches,
  readLines,
} from './jsonl.ts';
export { LineSplitter } from './line-splitter.ts';
export { acquireLock, type HeldLock, LockHolder, readLock } from './lock.ts';
export { packageRoot } from './package-root.ts';
export { insideOf, isInside, resolveInside } from './paths.ts';
export { isAlive, ownIdentity, ProcessIdentity } from './process-identity.ts';
export { processStart } from './process-start.ts';
export { removeIfEmpty } from './remove-if-empty.ts';
