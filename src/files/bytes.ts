import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { RlmError } from '../errors.ts';

/**
 * Opens a file for reading, and nothing else: a FIFO in its place would block for ever.
 *
 * @throws RlmError `corrupt` for what is no file; the system's error when it cannot be opened
 */
export function openFile(path: string): number {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw notAFile(path);
}

export function notAFile(path: string): RlmError {
  return new RlmError('corrupt', `${path} is not a regular file`, {
    hint: 'Somebody put something else in its place: remove it.',
  });
}

/** The whole text of a file, UTF-8. @throws as `openFile` */
export function readTextFile(path: string): string {
  const fd = openFile(path);
  try {
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/** Reads into `buffer` from `offset` until `length` bytes came or the file ends; returns how many came. */
export function readInto(
  fd: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number,
): number {
  let filled = 0;
  while (filled < length) {
    const read = readSync(fd, buffer, offset + filled, length - filled, position + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

/** So many bytes of a file; fewer where it ends. */
export function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(0, length));
  return bytes.subarray(0, readInto(fd, bytes, 0, bytes.length, position));
}

/** Writes all bytes: from `position` on, else where the file stands. */
export function writeAll(fd: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.length; ) {
    const at = position === undefined ? null : position + done;
    done += writeSync(fd, bytes, done, bytes.length - done, at);
  }
}

/** What a whole file holds. */
export interface FileHash {
  /** Hex. */
  sha256: string;
  /** Bytes. */
  size: number;
}

/**
 * Hashes a file piece by piece. It uses nothing of this module, so that it can be handed to a thread as text
 * (`runs/hash-files.ts`).
 *
 * @throws the system's error when the file cannot be read
 */
export function hashFile(path: string): FileHash {
  const { createHash } = process.getBuiltinModule('node:crypto');
  const { closeSync, constants, fstatSync, openSync, readSync } = process.getBuiltinModule('node:fs');
  // What is no file (a FIFO) is not waited for.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const hash = createHash('sha256');
    // A small file needs no quarter of a megabyte, 10,000 times over in a resume.
    const buffer = Buffer.allocUnsafe(Math.min(1 << 18, fstatSync(fd).size + 1));
    let size = 0;
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer)) {
      hash.update(buffer.subarray(0, count));
      size += count;
    }
    return { sha256: hash.digest('hex'), size };
  } finally {
    closeSync(fd);
  }
}

/** Times of change are coarse: of a file that changed so short a time ago, the next change may not show. */
const SETTLED_MS = 50;

/**
 * Tells a file from what it is after a change without reading it, by inode, size and times of change, as make and
 * git do. The same mark means the same bytes.
 *
 * @param options.ours this process has just written it, and no other does
 * @returns undefined when it is not there, or changed too short a time ago to tell
 */
export function fileMark(path: string, options: { ours?: boolean } = {}): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const { ino, size, mtimeMs, ctimeMs } = stat;
  if (options.ours !== true && Date.now() - ctimeMs < SETTLED_MS) return undefined;
  return `${ino}:${size}:${mtimeMs}:${ctimeMs}`;
}
