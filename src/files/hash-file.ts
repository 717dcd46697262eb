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
  const { closeSync, fstatSync, openSync, readSync } = process.getBuiltinModule('node:fs');
  const fd = openSync(path, 'r');
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
