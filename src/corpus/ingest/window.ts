import { closeSync, openSync, readSync } from 'node:fs';
import { estimateTokenCount } from 'tokenx';
import { Skipped } from '../skipped.ts';

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

const SAMPLE_BYTES = 2048;
const SAMPLE_EVERY = 128 * 1024;

/**
 * Tokens a byte of a text, measured on samples: estimating every byte runs at
 * 16 MB/s, many times what hashing takes.
 */
export class TokenRate {
  #bytes = 0;
  #tokens = 0;

  /** Takes 2 kB of each 128 kB of a block. */
  sample(block: Buffer): void {
    for (let at = 0; at < block.length; at += SAMPLE_EVERY) {
      const piece = block.subarray(at, at + SAMPLE_BYTES);
      this.#bytes += piece.length;
      this.#tokens += estimateTokenCount(piece.toString('utf8'));
    }
  }

  /** Between 1/16 and 1 token a byte: a run of one repeated character tells nothing about what follows. */
  get perByte(): number {
    if (this.#bytes === 0) return 0.25;
    return Math.min(1, Math.max(1 / 16, this.#tokens / this.#bytes));
  }
}
