import { closeSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { FILE_MODE, writeAll } from '../files/index.ts';

/*
 * `chunks/spans.bin`: 32 bytes a chunk in manifest order, so that a scan of a gigabyte need not parse 70 MB of
 * manifest, and a chunk id finds its line at once. Byte order of the machine: it is made again by an ingest.
 */
const RECORD_BYTES = 32;
/** Records that are gathered before they are written. */
const BUFFERED = 2048;

export interface Span {
  /** Bytes of the source's text. */
  start: number;
  length: number;
  lineStart: number;
  lineEnd: number;
  /** Index of the source in `sources.jsonl`, from 0. */
  source: number;
  /** Byte offset of the chunk's line in the manifest. */
  manifestOffset: number;
}

/** All spans of a corpus, 32 bytes each. `ordinal` counts from 0: chunk `c-000001` is 0. */
export class Spans {
  readonly count: number;
  /** Bytes of memory. */
  readonly bytes: number;
  readonly #floats: Float64Array;
  readonly #integers: Uint32Array;
  #averageLength: number | undefined;

  constructor(bytes: ArrayBuffer) {
    this.bytes = bytes.byteLength;
    this.count = Math.floor(bytes.byteLength / RECORD_BYTES);
    this.#floats = new Float64Array(bytes, 0, this.count * 4);
    this.#integers = new Uint32Array(bytes, 0, this.count * 8);
  }

  start(ordinal: number): number {
    return this.#floats[ordinal * 4] ?? 0;
  }
  manifestOffset(ordinal: number): number {
    return this.#floats[ordinal * 4 + 1] ?? 0;
  }
  length(ordinal: number): number {
    return this.#integers[ordinal * 8 + 4] ?? 0;
  }
  /** Bytes of a chunk on average, at least 1; counted once. */
  get averageLength(): number {
    if (this.#averageLength === undefined) {
      let sum = 0;
      for (let ordinal = 0; ordinal < this.count; ordinal += 1) sum += this.length(ordinal);
      this.#averageLength = Math.max(1, sum / Math.max(1, this.count));
    }
    return this.#averageLength;
  }
  lineStart(ordinal: number): number {
    return this.#integers[ordinal * 8 + 5] ?? 0;
  }
  lineEnd(ordinal: number): number {
    return this.#integers[ordinal * 8 + 6] ?? 0;
  }
  source(ordinal: number): number {
    return this.#integers[ordinal * 8 + 7] ?? 0;
  }
}

export function readSpans(path: string): Spans {
  const file = readFileSync(path);
  const bytes = new ArrayBuffer(file.length);
  new Uint8Array(bytes).set(file);
  return new Spans(bytes);
}

/** Writes spans in order through a buffer. */
export class SpanWriter {
  readonly #fd: number;
  readonly #bytes = new ArrayBuffer(RECORD_BYTES * BUFFERED);
  readonly #floats = new Float64Array(this.#bytes);
  readonly #integers = new Uint32Array(this.#bytes);
  #buffered = 0;
  #written = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'wx', FILE_MODE);
  }

  /** Forgets all spans after the first `count`. */
  truncate(count: number): void {
    this.#flush();
    this.#written = count * RECORD_BYTES;
    ftruncateSync(this.#fd, this.#written);
  }

  push(span: Span): void {
    const at = this.#buffered;
    this.#floats[at * 4] = span.start;
    this.#floats[at * 4 + 1] = span.manifestOffset;
    this.#integers[at * 8 + 4] = span.length;
    this.#integers[at * 8 + 5] = span.lineStart;
    this.#integers[at * 8 + 6] = span.lineEnd;
    this.#integers[at * 8 + 7] = span.source;
    this.#buffered += 1;
    if (this.#buffered === BUFFERED) this.#flush();
  }

  close(): void {
    this.#flush();
    closeSync(this.#fd);
  }

  #flush(): void {
    const bytes = Buffer.from(this.#bytes, 0, this.#buffered * RECORD_BYTES);
    writeAll(this.#fd, bytes, this.#written);
    this.#written += bytes.length;
    this.#buffered = 0;
  }
}
