import { rmdirSync } from 'node:fs';
import { systemCode } from '../errors.ts';

const LEFT = new Set(['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'ENOENT']);

/** Removes a directory in which nothing is; what is no directory stays, as what is in one does. */
export function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!LEFT.has(systemCode(error) ?? '')) throw error;
  }
}
