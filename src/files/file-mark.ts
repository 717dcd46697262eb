import { statSync } from 'node:fs';

/** Times of change are coarse: of a file that changed so short a time ago, the next change may not show. */
const SETTLED_MS = 50;

/**
 * Tells a file from what it is after a change without reading it, by inode, size and times of change, as make and
 * git do. The same mark means the same bytes.
 *
 * @param options.ours we have just written it, and nobody else does
 * @returns undefined when it is not there, or changed too short a time ago to tell
 */
export function fileMark(path: string, options: { ours?: boolean } = {}): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const { ino, size, mtimeMs, ctimeMs } = stat;
  if (options.ours !== true && Date.now() - ctimeMs < SETTLED_MS) return undefined;
  return `${ino}:${size}:${mtimeMs}:${ctimeMs}`;
}
