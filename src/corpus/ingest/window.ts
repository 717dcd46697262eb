import { closeSync, openSync, readSync } from 'node:fs';
import { Skipped } from './skipped.ts';

const READ_BYTES = 1 << 20;

/** A text that is read by position. */
export interface TextSource {
  readonly size: number;
  read(buffer: Buffer, offset: number, length: number, position: number): number;
}

/** A sliding view of a text: one buffer, filled a megabyte ahead. Positions must not go backwards far. */
export class ByteWindow {
  readonly #source: TextSource;
  readonly #buffer: Buffer;
  #base = 0;
  #filled = 0;

  constructor(source: TextSource, span: number) {
    this.#source = source;
    this.#buffer = Buffer.allocUnsafe(Math.min(source.size, span + READ_BYTES));
  }

  /** A view of `length` bytes from `position`, valid until the next call. */
  at(position: number, length: number): Buffer {
    if (position + length > this.#base + this.#filled) {
      const kept = this.#base + this.#filled - position;
      if (kept > 0) this.#buffer.copyWithin(0, position - this.#base, this.#filled);
      this.#base = position;
      this.#filled = Math.max(0, kept);
      while (this.#filled < this.#buffer.length) {
        const at = this.#base + this.#filled;
        const wanted = Math.min(this.#buffer.length - this.#filled, this.#source.size - at);
        if (wanted === 0) break;
        const read = this.#source.read(this.#buffer, this.#filled, wanted, at);
        if (read === 0) throw new Skipped('changed', 'it became shorter while it was read; ingest again');
        this.#filled += read;
      }
    }
    const from = position - this.#base;
    return this.#buffer.subarray(from, from + length);
  }
}

/** An open file as a text, as long as it was when it was measured: bytes appended later are not seen. */
export async function withFile<Result>(
  path: string,
  size: number,
  use: (source: TextSource) => Promise<Result>,
): Promise<Result> {
  const fd = openSync(path, 'r');
  try {
    return await use({
      size,
      read: (buffer, offset, length, position) => readSync(fd, buffer, offset, length, position),
    });
  } finally {
    closeSync(fd);
  }
}

/** The blocks of a text in order; each is valid until the next one is asked for. */
export function* blocksOf(source: TextSource): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, source.size));
  for (let position = 0; position < source.size; ) {
    const read = source.read(buffer, 0, Math.min(buffer.length, source.size - position), position);
    if (read === 0) throw new Skipped('changed', 'it became shorter while it was read; ingest again');
    yield buffer.subarray(0, read);
    position += read;
  }
}
