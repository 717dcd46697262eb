import { closeSync, openSync } from 'node:fs';
import type { ChunkRecord, RejectionReason } from '../contracts/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { readAt } from '../files/index.ts';
import { sha256 } from '../text/index.ts';
import {
  type LocatedSpan,
  type LocateOptions,
  locateQuote,
  type QuoteMatch,
  type SourceReader,
  SourceText,
  spanOf,
} from './quotes/index.ts';

/** What of a manifest line is needed to look for quotes in the chunk. */
export type ReduceChunk = Pick<
  ChunkRecord,
  'chunk_id' | 'source' | 'byte_start' | 'byte_end' | 'line_start' | 'line_end' | 'sha256'
>;

export type MaterialMatch =
  | { chunk: ReduceChunk; match: QuoteMatch; edits: number; spans: LocatedSpan[] }
  | { reason: RejectionReason };

/** The chunks that one worker was given. A quote counts only when it is in them: nothing else was read. */
export class JobMaterial {
  readonly #chunks: readonly ReduceChunk[];
  readonly #reader: SourceReader;
  readonly #texts = new Map<ReduceChunk, SourceText | RejectionReason>();

  constructor(chunks: readonly ReduceChunk[], reader: SourceReader) {
    this.#chunks = chunks;
    this.#reader = reader;
  }

  /** Looks in the chunk that `loc` (`path:start-end`) points into first, then in the others. */
  locate(quote: string, loc: string): MaterialMatch {
    const claimed = parseLoc(loc);
    const order = [...this.#chunks].sort((a, b) => rank(b, claimed) - rank(a, claimed));
    let reason: RejectionReason = 'not_found';
    for (const chunk of order) {
      const text = this.#text(chunk);
      if (typeof text === 'string') {
        if (reason === 'not_found') reason = text;
        continue;
      }
      const found = locateQuote(text, quote, { near: claimed });
      if (found.match !== 'missing') return { chunk, ...found };
      if (reason === 'not_found') reason = found.reason;
    }
    return { reason };
  }

  /** A span of the n-th chunk, in UTF-16 units of its text. */
  span(part: number, start: number, end: number): MaterialMatch {
    const chunk = this.#chunks[part];
    if (chunk === undefined) return { reason: 'not_found' };
    const source = this.#text(chunk);
    if (typeof source === 'string') return { reason: source };
    if (start >= end || end > source.text.length) return { reason: 'not_found' };
    return { chunk, match: 'exact', edits: 0, spans: [spanOf(source, { start, end })] };
  }

  /** A chunk's text, if the source still has the bytes that were given to the worker. */
  #text(chunk: ReduceChunk): SourceText | RejectionReason {
    let text = this.#texts.get(chunk);
    if (text === undefined) {
      text = this.#read(chunk);
      this.#texts.set(chunk, text);
    }
    return text;
  }

  #read(chunk: ReduceChunk): SourceText | RejectionReason {
    let bytes: Uint8Array;
    try {
      bytes = this.#reader.read(chunk.source, chunk.byte_start, chunk.byte_end);
    } catch {
      return 'source_unreadable';
    }
    return sha256(bytes) === chunk.sha256 ? new SourceText(bytes, chunk) : 'source_changed';
  }
}

interface ClaimedLines extends NonNullable<LocateOptions['near']> {
  path: string;
}

function parseLoc(loc: string): ClaimedLines | undefined {
  const parts = /^(.+):(\d{1,9})-(\d{1,9})$/.exec(loc);
  return parts === null
    ? undefined
    : { path: parts[1] ?? '', line_start: Number(parts[2]), line_end: Number(parts[3]) };
}

/** How well a chunk fits the place that was claimed: document, then lines. */
function rank(chunk: ReduceChunk, claimed: ClaimedLines | undefined): number {
  if (claimed === undefined) return 0;
  // A prompt calls a document by its chunk where the name could break a line.
  const isNamed = chunk.source === claimed.path || chunk.chunk_id === claimed.path;
  const path = isNamed ? 2 : chunk.source.endsWith(`/${claimed.path}`) ? 1 : 0;
  const lines = claimed.line_start >= chunk.line_start && claimed.line_start <= chunk.line_end;
  return path * 2 + (lines ? 1 : 0);
}

/** Files that are kept open between reads. */
const MAX_OPEN = 16;

/** Reads sources that are files, with a few kept open. */
export class SourceFiles implements SourceReader {
  readonly #pathOf: (source: string) => string | undefined;
  readonly #open = new Map<string, number>();

  /** @param pathOf the file that holds a source's text; undefined for a source that is not known */
  constructor(pathOf: (source: string) => string | undefined) {
    this.#pathOf = pathOf;
  }

  /** @throws RlmError `not_found` when the source is unknown or its file cannot be read */
  read(source: string, byteStart: number, byteEnd: number): Uint8Array {
    return readAt(this.#descriptor(source), byteStart, byteEnd - byteStart);
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  #descriptor(source: string): number {
    const known = this.#open.get(source);
    if (known !== undefined) return known;
    const path = this.#pathOf(source);
    if (path === undefined)
      throw new RlmError('not_found', `'${source}' is not a document of this run`, {
        hint: 'Name a source as the manifest does.',
      });
    const fd = openForReading(path, source);
    const oldest = this.#open.entries().next();
    if (this.#open.size >= MAX_OPEN && oldest.done !== true) {
      this.#open.delete(oldest.value[0]);
      closeSync(oldest.value[1]);
    }
    this.#open.set(source, fd);
    return fd;
  }
}

function openForReading(path: string, source: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new RlmError('not_found', `cannot read '${source}': ${messageOf(error)}`, {
      hint: 'Put the document back where it was ingested from, or ingest again.',
      cause: error,
    });
  }
}
