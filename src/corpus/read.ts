import { closeSync, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { type ReadResult, type ReadSource, type SourceKind, TextPosition } from '../contracts/index.ts';
import { RlmError, systemCode } from '../errors.ts';
import { parseLine, readAt, readLines } from '../files/index.ts';
import { countNewlines, sha256 } from '../text/index.ts';
import { type Corpus, chunkRecords, openCorpus, ordinalOf, sourceAt, textFile } from './corpus.ts';
import { readHtml } from './extract/html.ts';

const DEFAULT_READ_BYTES = 8 * 1024;
const MAX_READ_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** What to read: a chunk, or lines (from 1, inclusive) or bytes (end exclusive) of a document's text. */
export type ReadRequest =
  | { chunk_id: string }
  | { source: string; line_start: number; line_end?: number | undefined }
  | { source: string; byte_start: number; byte_end?: number | undefined };

/**
 * Reads a piece of an ingested document: at most `maxBytes` (default 8 kB, at most 64 kB), cut at a line end or
 * at least between code points, with a pointer to what comes next.
 *
 * @throws RlmError `not_found` for a chunk or source that is not of this corpus, or a document that is gone;
 *   `usage` for a span outside it
 */
export async function readSpan(
  runDir: string | Corpus,
  request: ReadRequest,
  options: { maxBytes?: number } = {},
): Promise<ReadResult> {
  const corpus = typeof runDir === 'string' ? await openCorpus(runDir) : runDir;
  const maxBytes = Math.min(MAX_READ_BYTES, Math.max(16, options.maxBytes ?? DEFAULT_READ_BYTES));
  const text =
    'chunk_id' in request
      ? TextFile.open(corpus, corpus.spans.source(ordinalOf(corpus, request.chunk_id)))
      : TextFile.open(corpus, indexOfSource(corpus, request.source));
  try {
    const span = await spanOf(corpus, text, request);
    let bytes = text.read(span.start, Math.min(span.end - span.start, maxBytes + 4));
    if (span.end - span.start > maxBytes) bytes = bytes.subarray(0, cutAt(bytes, maxBytes));
    const end = span.start + bytes.length;
    const lineStart = text.lineAt(span.start);
    const newlines = countNewlines(bytes);
    return {
      source: text.source.path,
      chunk_id: span.chunkId,
      text: bytes.toString('utf8'),
      byte_start: span.start,
      byte_end: end,
      line_start: lineStart,
      line_end: lineStart + newlines - (newlines > 0 && bytes[bytes.length - 1] === NEWLINE ? 1 : 0),
      ...(await positionOf(corpus, text.source, lineStart)),
      state: span.changed ? 'changed' : 'unchanged',
      next: end < span.end ? { source: text.source.path, byte_start: end, byte_end: span.end } : null,
    };
  } finally {
    text.close();
  }
}

function indexOfSource(corpus: Corpus, path: string): number {
  const index = corpus.sources.findIndex(
    (source) => source.status === 'read' && (source.path === path || source.file === path),
  );
  if (index !== -1) return index;
  const skipped = corpus.sources.find((source) => source.path === path);
  const why = skipped?.status === 'skipped' ? `: skipped (${skipped.reason}, ${skipped.detail})` : '';
  throw new RlmError('not_found', `'${path}' is not a document of this run${why}`, {
    hint: 'Sources are named in chunks/sources.jsonl and in every search hit.',
  });
}

interface WantedSpan {
  start: number;
  end: number;
  chunkId: string | null;
  changed: boolean;
}

async function spanOf(corpus: Corpus, text: TextFile, request: ReadRequest): Promise<WantedSpan> {
  if ('chunk_id' in request) {
    const [record] = chunkRecords(corpus, [ordinalOf(corpus, request.chunk_id)]);
    if (record === undefined) throw new RlmError('corrupt', `no manifest line for ${request.chunk_id}`);
    const bytes = text.read(record.byte_start, record.byte_end - record.byte_start);
    const changed = sha256(bytes) !== record.sha256;
    const end = Math.min(record.byte_end, text.size);
    return { start: Math.min(record.byte_start, end), end, chunkId: request.chunk_id, changed };
  }
  const outside = (what: string): never => {
    throw new RlmError('usage', `${what} lies outside '${text.source.path}'`, {
      hint: `It has ${text.size} bytes and ${text.lastLine()} lines.`,
    });
  };
  const span = { chunkId: null, changed: text.changed() };
  if ('byte_start' in request) {
    const end = Math.min(request.byte_end ?? text.size, text.size);
    if (request.byte_start < 0 || request.byte_start > end) {
      outside(`bytes ${request.byte_start}-${request.byte_end ?? ''}`);
    }
    return { ...span, start: text.codePointAt(request.byte_start), end };
  }
  const { line_start: first, line_end: last } = request;
  const start = text.offsetOfLine(first);
  if (start === undefined || (last !== undefined && last < first))
    return outside(`lines ${first}-${last ?? ''}`);
  const end = last === undefined ? text.size : (text.offsetOfLine(last + 1) ?? text.size);
  return { ...span, start, end };
}

/** The end of the last whole line in the first `limit` bytes, else of the last whole code point. */
function cutAt(bytes: Buffer, limit: number): number {
  const newline = bytes.lastIndexOf(NEWLINE, limit - 1);
  if (newline > 0) return newline + 1;
  let cut = limit;
  while (cut > limit - 4 && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut -= 1;
  return cut;
}

async function positionOf(
  corpus: Corpus,
  source: ReadSource,
  line: number,
): Promise<{ page?: number; cell?: number }> {
  let found: { page?: number; cell?: number } = {};
  for (const { line: from, page, cell } of await readPositions(corpus, source)) {
    if (from > line) break;
    found = { ...(page === undefined ? {} : { page }), ...(cell === undefined ? {} : { cell }) };
  }
  return found;
}

/** What is known of a document besides its text: the first line of each page, cell or section, and a page's HTML. */
export interface DocumentInfo {
  kind: SourceKind;
  positions: TextPosition[];
  html?: string;
}

/** Undefined for what is no document of the corpus. The HTML is missing when its file is. */
export async function describeDocument(corpus: Corpus, path: string): Promise<DocumentInfo | undefined> {
  const source = corpus.sources.find((record) => record.path === path);
  if (source?.status !== 'read') return undefined;
  const { kind } = source;
  const positions = await readPositions(corpus, source);
  if (kind !== 'html') return { kind, positions };
  try {
    return { kind, positions, html: await readHtml(source.file) };
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return { kind, positions };
  }
}

async function readPositions(corpus: Corpus, source: ReadSource): Promise<TextPosition[]> {
  if (source.positions_path === null) return [];
  const positions: TextPosition[] = [];
  for await (const entry of readLines(join(corpus.runDir, source.positions_path)))
    positions.push(TextPosition.parse(parseLine(entry)));
  return positions;
}

/** The text of a source, open for reading; its chunks are the milestones by which lines are found. */
class TextFile {
  readonly source: ReadSource;
  readonly size: number;
  readonly #corpus: Corpus;
  readonly #fd: number;
  readonly #mtimeMs: number;

  private constructor(
    corpus: Corpus,
    source: ReadSource,
    fd: number,
    stats: { size: number; mtimeMs: number },
  ) {
    this.#corpus = corpus;
    this.source = source;
    this.size = stats.size;
    this.#mtimeMs = stats.mtimeMs;
    this.#fd = fd;
  }

  static open(corpus: Corpus, index: number): TextFile {
    const source = sourceAt(corpus, index);
    const path = textFile(corpus, source);
    try {
      const fd = openSync(path, 'r');
      return new TextFile(corpus, source, fd, fstatSync(fd));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      throw new RlmError('not_found', `'${source.path}' is no longer there`, {
        hint: 'Ingest the documents again.',
        cause: error,
      });
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  read(position: number, length: number): Buffer {
    return readAt(this.#fd, position, Math.min(length, this.size - position));
  }

  /** Whether the text differs from what was ingested, by size and time. */
  changed(): boolean {
    if (this.source.text_path !== null) return this.size !== this.source.text_bytes;
    return this.size !== this.source.bytes || this.#mtimeMs !== this.source.mtime_ms;
  }

  /** The start of the code point that the byte belongs to. */
  codePointAt(position: number): number {
    const from = Math.max(0, position - 3);
    const bytes = this.read(from, position - from + 1);
    let at = position;
    while (at > from && ((bytes[at - from] ?? 0) & 0xc0) === 0x80) at -= 1;
    return at;
  }

  lineAt(position: number): number {
    const milestone = this.#milestone((ordinal) => this.#corpus.spans.start(ordinal) <= position);
    let line = milestone.line;
    for (const { bytes, start } of this.#blocks(milestone.offset, position)) {
      line += countNewlines(bytes.subarray(0, position - start));
    }
    return line;
  }

  /** Undefined when there is no such line. */
  offsetOfLine(wanted: number): number | undefined {
    if (wanted < 1) return undefined;
    const milestone = this.#milestone((ordinal) => {
      const { spans } = this.#corpus;
      // A chunk that begins inside a line is no milestone for that line's start.
      return spans.lineStart(ordinal) < wanted || (wanted === 1 && spans.start(ordinal) === 0);
    });
    if (milestone.line >= wanted) return milestone.offset;
    let line = milestone.line;
    for (const { bytes, start } of this.#blocks(milestone.offset, this.size)) {
      for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
        line += 1;
        if (line === wanted) return start + at + 1 < this.size ? start + at + 1 : undefined;
      }
    }
    return undefined;
  }

  lastLine(): number {
    return this.size === 0 ? 0 : this.lineAt(this.size - 1);
  }

  *#blocks(from: number, to: number): Generator<{ bytes: Buffer; start: number }> {
    for (let start = from; start < to; ) {
      const bytes = this.read(start, Math.min(1 << 18, to - start));
      if (bytes.length === 0) return;
      yield { bytes, start };
      start += bytes.length;
    }
  }

  /** The last chunk of this source for which `before` holds; it holds for a first part of them. */
  #milestone(before: (ordinal: number) => boolean): { offset: number; line: number } {
    const { first_chunk, chunks } = this.source;
    if (first_chunk === null) return { offset: 0, line: 1 };
    const first = ordinalOf(this.#corpus, first_chunk);
    let low = 0;
    let high = chunks;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(first + middle)) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return { offset: 0, line: 1 };
    const { spans } = this.#corpus;
    const ordinal = first + low - 1;
    return { offset: spans.start(ordinal), line: spans.lineStart(ordinal) };
  }
}
