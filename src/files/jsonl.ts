import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { messageOf, RlmError } from '../errors.ts';
import { FILE_MODE, forceToDisk } from './atomic.ts';
import { notAFile } from './bytes.ts';

/** Longest line that is read, in bytes; a longer one is an error that names its line. */
const DEFAULT_MAX_LINE_BYTES = 16 * 1024 * 1024;
const READ_BYTES = 1 << 18;
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** One line of a JSONL file, without its line end. */
export interface JsonlLine {
  /** From 1. */
  line: number;
  /** Byte offset of the line's first byte in the file. */
  start: number;
  /** Byte offset after the line's newline: where the next line starts. */
  end: number;
  text: string;
  /** False when it holds bytes that are no UTF-8: in the text they are U+FFFD. */
  utf8: boolean;
  /** False for a last line without a newline, such as one torn by a crash. */
  complete: boolean;
}

/**
 * Streams the lines of a file in batches, one batch a read, with flat memory: one buffer, and at most one
 * line carried over. (A generator that yields each line alone costs a promise a line.)
 *
 * @param options.longLines what to do about a line longer than `maxLineBytes`: `error` (the default), or `skip`
 *   for files of foreign programs, whose one absurd line must not hide the rest
 * @throws RlmError `limit` naming the line when it is longer than `maxLineBytes`
 */
export async function* readLineBatches(
  path: string,
  options: { maxLineBytes?: number; start?: number; end?: number; longLines?: 'error' | 'skip' } = {},
): AsyncGenerator<JsonlLine[]> {
  const skipLong = options.longLines === 'skip';
  const maxLineBytes = options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES;
  const limit = options.end ?? Number.POSITIVE_INFINITY;
  const handle: FileHandle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw notAFile(path);
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    let carried: Buffer[] = [];
    let carriedBytes = 0;
    let line = 1;
    let start = options.start ?? 0;
    let position = start;
    if (start === 0) {
      // What some editors put before UTF-8 is no part of the first line.
      const { bytesRead } = await handle.read(buffer, 0, BYTE_ORDER_MARK.length, 0);
      if (buffer.subarray(0, bytesRead).equals(BYTE_ORDER_MARK)) start = position = BYTE_ORDER_MARK.length;
    }
    for (;;) {
      const wanted = Math.min(READ_BYTES, limit - position);
      const { bytesRead } = wanted > 0 ? await handle.read(buffer, 0, wanted, position) : { bytesRead: 0 };
      if (bytesRead === 0) break;
      const batch: JsonlLine[] = [];
      let from = 0;
      for (;;) {
        const newline = buffer.indexOf(NEWLINE, from);
        if (newline === -1 || newline >= bytesRead) break;
        const length = carriedBytes + newline - from;
        const end = start + length + 1;
        if (length <= maxLineBytes) {
          const { text, utf8 } =
            carriedBytes === 0
              ? decoded(buffer, from, newline)
              : decoded(Buffer.concat([...carried, buffer.subarray(from, newline)]));
          batch.push({ line, start, end, text, utf8, complete: true });
        } else if (!skipLong) throw tooLong(path, line, maxLineBytes);
        carried = [];
        carriedBytes = 0;
        start = end;
        line += 1;
        from = newline + 1;
      }
      if (from < bytesRead) {
        carriedBytes += bytesRead - from;
        if (carriedBytes <= maxLineBytes) carried.push(Buffer.from(buffer.subarray(from, bytesRead)));
        else if (skipLong) carried = [];
        else throw tooLong(path, line, maxLineBytes);
      }
      position += bytesRead;
      if (batch.length > 0) yield batch;
    }
    if (carriedBytes > 0 && carriedBytes <= maxLineBytes) {
      const { text, utf8 } = decoded(Buffer.concat(carried));
      yield [{ line, start, end: start + carriedBytes, text, utf8, complete: false }];
    }
  } finally {
    await handle.close();
  }
}

/** Bytes as text. Only where the text could hold bytes that are no UTF-8 they are looked at again. */
function decoded(bytes: Buffer, from = 0, to = bytes.length): { text: string; utf8: boolean } {
  const text = bytes.toString('utf8', from, to);
  return { text, utf8: !text.includes('\ufffd') || isUtf8(bytes.subarray(from, to)) };
}

/** The same lines one by one, where convenience matters more than a few microseconds. */
export async function* readLines(
  path: string,
  options: { maxLineBytes?: number; start?: number; end?: number } = {},
): AsyncGenerator<JsonlLine> {
  for await (const batch of readLineBatches(path, options)) yield* batch;
}

function tooLong(path: string, line: number, maxLineBytes: number): RlmError {
  return new RlmError('limit', `line ${line}: longer than ${maxLineBytes} bytes in ${path}`, {
    hint: 'Put large payloads in files and name their paths.',
  });
}

/** Parses one line of JSON; `undefined` for a blank line. Throws RlmError `usage` naming the line, also of what is no UTF-8. */
export function parseLine(line: JsonlLine): unknown {
  if (line.text.trim() === '') return undefined;
  const hint = 'The file seems to be in another encoding: save it as UTF-8.';
  if (!line.utf8) throw new RlmError('usage', `line ${line.line}: not valid UTF-8`, { hint });
  try {
    return JSON.parse(line.text);
  } catch (error) {
    throw new RlmError(
      'usage',
      `line ${line.line}: not valid JSON: ${messageOf(error)}`,
      line.text.includes('\0') ? { hint } : {},
    );
  }
}

/**
 * Appends records to a JSONL file, each in one write, so that a killed process tears at most the last line.
 * A torn last line that is found on opening is ended with a newline: readers skip it.
 */
export class JsonlAppender {
  readonly path: string;
  #fd: number;
  #size: number;

  constructor(path: string) {
    this.path = path;
    const { O_APPEND, O_CREAT, O_NONBLOCK, O_RDWR } = constants;
    this.#fd = openSync(path, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK, FILE_MODE);
    const stats = fstatSync(this.#fd);
    if (!stats.isFile()) {
      closeSync(this.#fd);
      throw notAFile(path);
    }
    this.#size = stats.size;
    if (this.#size > 0) {
      const last = Buffer.alloc(1);
      readSync(this.#fd, last, 0, 1, this.#size - 1);
      if (last[0] !== NEWLINE) this.#size += writeSync(this.#fd, '\n');
    }
  }

  /** Bytes in the file: the offset at which the next record will start. */
  get size(): number {
    return this.#size;
  }

  /** Appends one record and returns the byte offset at which it starts. */
  append(record: unknown): number {
    const start = this.#size;
    const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#fd, bytes, written);
    this.#size += bytes.length;
    return start;
  }

  /** Forces what was appended so far to the disk, without holding anything else up. */
  sync(): Promise<void> {
    return forceToDisk(this.#fd);
  }

  /** @param options.sync also forces it to the disk, now */
  close(options: { sync?: boolean } = {}): void {
    if (options.sync) fsyncSync(this.#fd);
    closeSync(this.#fd);
  }
}

/**
 * Cuts a byte stream into lines, for streams that are not files (a pipe of a running process). It holds at
 * most one unfinished line.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #onTooLong: (error: RlmError) => void;
  #carried: Buffer[] = [];
  #carriedBytes = 0;

  /** @param onTooLong called once for each line beyond the cap, which is then dropped; by default the error is thrown */
  constructor(
    maxLineBytes: number = DEFAULT_MAX_LINE_BYTES,
    onTooLong: (error: RlmError) => void = (error) => {
      throw error;
    },
  ) {
    this.#maxLineBytes = maxLineBytes;
    this.#onTooLong = onTooLong;
  }

  /**
   * The lines that `bytes` completes, without their ends.
   *
   * @throws RlmError `limit` when a line is longer than the cap and there is no `onTooLong`; the splitter is of no use
   *   after that
   */
  push(bytes: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
      this.#carry(bytes.subarray(from, at));
      if (this.#carriedBytes <= this.#maxLineBytes) lines.push(Buffer.concat(this.#carried).toString('utf8'));
      this.#carried = [];
      this.#carriedBytes = 0;
      from = at + 1;
    }
    if (from < bytes.length) this.#carry(Buffer.from(bytes.subarray(from)));
    return lines;
  }

  #carry(part: Buffer): void {
    const before = this.#carriedBytes;
    this.#carriedBytes += part.length;
    if (this.#carriedBytes <= this.#maxLineBytes) {
      this.#carried.push(part);
      return;
    }
    this.#carried = [];
    if (before > this.#maxLineBytes) return;
    this.#onTooLong(new RlmError('limit', `a line of the stream is longer than ${this.#maxLineBytes} bytes`));
  }
}
