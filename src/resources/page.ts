import { closeSync, fstatSync, readSync, statSync } from 'node:fs';
import { RlmError } from '../errors.ts';
import { type JsonlLine, openFile, readLines, readTextFile } from '../files/index.ts';
import { truncate } from '../text/index.ts';

/** A tool's result is at most about 8 kB; the rows of a page get this much of it, in bytes of JSON. */
export const PAGE_BYTES = 7_000;

/** A larger JSON file is shown as text. */
const MAX_JSON_BYTES = 32 * 1024 * 1024;

/** Bytes of a value as JSON. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** The first rows that fit a page together; at least one, when there is one. */
export function rowsOfOnePage<Row>(rows: readonly Row[], limit = PAGE_BYTES): Row[] {
  const page: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    bytes += jsonBytes(row) + 1;
    if (bytes > limit && page.length > 0) break;
    page.push(row);
  }
  return page;
}

/** A page of JSON, and the cursor of the next one. */
export interface JsonPage {
  json: Record<string, unknown>;
  nextCursor: string | null;
}

/**
 * One page of a JSON file that holds an object: all of it where it fits, else item by item of its largest list, with
 * the other fields on the first page. Where no list is large, or a single item, pages are pieces of the text.
 *
 * @throws RlmError `usage` for a cursor of another list
 */
export function readJsonPage(path: string, cursor: string | undefined, maxBytes: number): JsonPage {
  const value = readObject(path);
  if (value === undefined || cursor?.startsWith('byte-')) return textAsJson(path, cursor, maxBytes);
  if (cursor === undefined && jsonBytes(value) <= maxBytes) return { json: value, nextCursor: null };
  const [name, items] = largestList(value);
  const start = cursor === undefined ? 0 : Number(cursor);
  if (!Number.isInteger(start) || start < 0 || start > items.length) throw badCursor(cursor);
  const rest = Object.entries(value).filter(([key]) => key !== name);
  const others = start === 0 ? Object.fromEntries(rest) : {};
  const room = maxBytes - jsonBytes(others) - name.length - 100;
  const page = room > 0 ? rowsOfOnePage(items.slice(start), room) : [];
  if (page.length === 0 || jsonBytes(page) > room) return textAsJson(path, undefined, maxBytes);
  const next = start + page.length;
  return {
    json: { ...others, [name]: page, [`${name}_total`]: items.length },
    nextCursor: next < items.length ? String(next) : null,
  };
}

function readObject(path: string): Record<string, unknown> | undefined {
  if (statSync(path).size > MAX_JSON_BYTES) return undefined;
  try {
    const value: unknown = JSON.parse(readTextFile(path));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    // It is shown as it is: whoever reads it sees what is wrong.
    return undefined;
  }
}

function largestList(value: Record<string, unknown>): [string, unknown[]] {
  let largest: [string, unknown[]] = ['', []];
  let size = 0;
  for (const [name, list] of Object.entries(value)) {
    if (!Array.isArray(list)) continue;
    const bytes = jsonBytes(list);
    if (bytes > size) {
      largest = [name, list];
      size = bytes;
    }
  }
  return largest;
}

function textAsJson(path: string, cursor: string | undefined, maxBytes: number): JsonPage {
  // Quotes and line ends are escaped in JSON: half the bytes, so that a page stays a page.
  const page = readTextPage(path, cursor, Math.floor(maxBytes / 2));
  return {
    json: { path, bytes: page.size, offset: page.start, text: page.text },
    nextCursor: page.nextCursor,
  };
}

/** One page of a text file, ending at the end of a line where there is one, and never inside a code point. */
export function readTextPage(
  path: string,
  cursor: string | undefined,
  maxBytes: number,
): { text: string; start: number; size: number; nextCursor: string | null } {
  const fd = openFile(path);
  try {
    const { size } = fstatSync(fd);
    const start = cursor === undefined ? 0 : Number(/^byte-(\d{1,15})$/.exec(cursor)?.[1]);
    if (!Number.isInteger(start) || start > size) throw badCursor(cursor);
    const buffer = Buffer.alloc(Math.min(maxBytes, size - start));
    const bytes = buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, start));
    const end = start + bytes.length < size ? cutAt(bytes) : bytes.length;
    const next = start + end;
    return {
      text: bytes.toString('utf8', 0, end),
      start,
      size,
      nextCursor: next < size && end > 0 ? `byte-${next}` : null,
    };
  } finally {
    closeSync(fd);
  }
}

/** Where to end a piece of a text: after its last line, if that is not too early, else before a torn code point. */
function cutAt(bytes: Buffer): number {
  const line = bytes.lastIndexOf(NEWLINE) + 1;
  if (line > bytes.length / 2) return line;
  let lead = bytes.length - 1;
  while (lead > 0 && lead > bytes.length - 4 && ((bytes[lead] ?? 0) & 0xc0) === 0x80) lead -= 1;
  return new TextDecoder().decode(bytes.subarray(lead)).includes('\uFFFD') && lead > 0 ? lead : bytes.length;
}

/**
 * One page of a JSONL file, as many rows as fit. A cursor is the byte offset of a line, so that a page costs
 * the same wherever it lies in a file of any size; `tail` is the newest page.
 *
 * @param rowOf a small row of a line, or undefined to skip it; the last line may be without its end
 * @returns the rows, and the cursor of the next page or null at the end
 */
export async function readLinePage<Row>(
  path: string,
  cursor: string | undefined,
  maxBytes: number,
  rowOf: (line: JsonlLine) => Row | undefined,
): Promise<{ rows: Row[]; nextCursor: string | null }> {
  const size = statSync(path).size;
  const start = lineStart(path, size, cursor, maxBytes);
  const rows: Row[] = [];
  let bytes = 0;
  for await (const line of readLines(path, { start, end: size })) {
    const row = rowOf(line);
    if (row === undefined) continue;
    bytes += jsonBytes(row) + 1;
    if (bytes > maxBytes && rows.length > 0) return { rows, nextCursor: String(line.start) };
    rows.push(row);
  }
  return { rows, nextCursor: null };
}

function lineStart(path: string, size: number, cursor: string | undefined, maxBytes: number): number {
  if (cursor === undefined) return 0;
  if (cursor === 'tail') return lineStartAfter(path, Math.max(0, size - Math.floor(maxBytes / 2)), size);
  const start = Number(cursor);
  if (/^\d{1,15}$/.test(cursor) && start <= size && (start === 0 || byteAt(path, start - 1) === NEWLINE))
    return start;
  throw badCursor(cursor);
}

function badCursor(cursor: string | undefined): RlmError {
  return new RlmError('usage', `cursor '${truncate(cursor ?? '', 40)}' is not one of this list`, {
    hint: 'Start without a cursor, then follow the next page that each page names.',
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
  const fd = openFile(path);
  try {
    return readSync(fd, buffer, 0, buffer.length, position);
  } finally {
    closeSync(fd);
  }
}
