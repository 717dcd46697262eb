import { closeSync, fstatSync, openSync } from 'node:fs';
import { systemCode } from '../errors.ts';
import { readAt } from '../files/index.ts';

/** The longest answer that is read from a file a worker printed to, bytes; the file itself stays on disk. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** As much of a worker's last words as goes into a failure's message, bytes. */
const TAIL_BYTES = 2048;

/** Where a worker's stderr goes: beside its log. */
export function stderrPathOf(logPath: string): string {
  return `${logPath.replace(/\.jsonl?$/, '')}.stderr.log`;
}

/** The whole of a file that a worker printed, or undefined when it is longer than `maxBytes`. */
export function readPrinted(path: string, maxBytes = MAX_ANSWER_BYTES): string | undefined {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    return size > maxBytes ? undefined : readSpan(fd, 0, size);
  } finally {
    closeSync(fd);
  }
}

/** The last 2 kB of a file as one harmless line of text; empty when there is none. */
export function lastWords(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = fstatSync(fd);
    return harmless(readSpan(fd, Math.max(0, size - TAIL_BYTES), size));
  } finally {
    closeSync(fd);
  }
}

/** Foreign text for a message of ours: terminal sequences and control characters out, spaces joined. */
export function harmless(text: string, maxLength = TAIL_BYTES): string {
  return text
    .replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)/g, '')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029\ufffd\s]+/gu, ' ')
    .trim()
    .slice(-maxLength);
}

function readSpan(fd: number, start: number, end: number): string {
  return readAt(fd, start, end - start).toString('utf8');
}
