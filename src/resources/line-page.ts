import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { RlmError } from '../errors.ts';
import { type JsonlLine, readLines } from '../files/index.ts';
import { jsonBytes, PAGE_BYTES } from './report.ts';

/**
 * One page of a JSONL file, as many rows as fit. A cursor is the byte offset of a line, so that a page costs
 * the same wherever it lies in a file of any size.
 *
 * @param rowOf a small row of a line, or undefined to leave it out; the last line may be without its end
 * @returns the rows, and the cursor of the next page or null at the end
 */
export async function readLinePage<Row>(
  path: string,
  cursor: string | undefined,
  rowOf: (line: JsonlLine) => Row | undefined,
): Promise<{ rows: Row[]; next_cursor: string | null }> {
  const size = statSync(path).size;
  const start = startOf(path, size, cursor);
  const rows: Row[] = [];
  let bytes = 0;
  for await (const line of readLines(path, { start, end: size })) {
    const row = rowOf(line);
    if (row === undefined) continue;
    bytes += jsonBytes(row) + 1;
    if (bytes > PAGE_BYTES && rows.length > 0) return { rows, next_cursor: String(line.start) };
    rows.push(row);
  }
  return { rows, next_cursor: null };
}

function startOf(path: string, size: number, cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (cursor === 'tail') return lineStartAfter(path, Math.max(0, size - PAGE_BYTES / 2), size);
  const start = Number(cursor);
  if (/^\d{1,15}$/.test(cursor) && start <= size && (start === 0 || byteAt(path, start - 1) === NEWLINE))
    return start;
  throw new RlmError('usage', `cursor '${cursor.slice(0, 40)}' is not one of this list`, {
    hint: 'Start without a cursor, then give next_cursor of the page before.',
  });
}

const NEWLINE = 0x0a;

function byteAt(path: string, position: number): number | undefined {
  const byte = Buffer.alloc(1);
  return readAt(path, byte, position) === 1 ? byte[0] : undefined;
}

/** The start of the first line that begins at `from` or later. */
function lineStartAfter(path: string, from: number, size: number): number {
  if (from === 0) return 0;
  const buffer = Buffer.alloc(Math.min(size - from + 1, 1 << 20));
  const read = readAt(path, buffer, from - 1);
  const newline = buffer.subarray(0, read).indexOf(NEWLINE);
  return newline === -1 ? size : from + newline;
}

function readAt(path: string, buffer: Buffer, position: number): number {
  const fd = openSync(path, 'r');
  try {
    return readSync(fd, buffer, 0, buffer.length, position);
  } finally {
    closeSync(fd);
  }
}
