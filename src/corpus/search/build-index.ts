import { createHash } from 'node:crypto';
import { fstatSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RlmError } from '../../errors.ts';
import { acquireLock, ensureDirectory, removeAbandoned, temporaryName } from '../../files/index.ts';
import { breathe } from '../breath.ts';
import { type Corpus, openCorpus } from '../corpus.ts';
import { IndexWriter } from './index-file.ts';
import { mergeIndexes } from './merge.ts';
import { PostingLists } from './posting-lists.ts';
import { MAX_COUNT } from './tallies.ts';
import { fill, type OpenText, openTexts } from './texts.ts';
import { WordCounter } from './word-counter.ts';
import { hasIndex, indexPath } from './word-index.ts';

/** A part is written when its postings or its terms are so many: what bounds the memory. */
const PART_BYTES = 32 << 20;
const PART_TERMS = 1 << 18;
/** A word that nobody asks for: a key, or data written in letters. */
const LONGEST_TERM = 256;
/** An index that nobody asked for so long is removed when another one is built. */
const UNUSED_MS = 14 * 24 * 3_600_000;

export interface IndexOptions {
  /** Bytes of postings that are gathered before they are written: what bounds the memory. Default 32 MB. */
  partBytes?: number;
  signal?: AbortSignal;
  onProgress?: (done: { chunks: number; total: number }) => void;
}

/**
 * Builds an index of a corpus for repeated questions: which chunks hold which terms how often. It holds no text,
 * belongs to exactly these chunks, and can be thrown away. It is put in place when all of it is on the disk; a
 * build that was killed leaves nothing that is used.
 *
 * @returns `built`, or `present` when there is one
 * @throws RlmError `conflict` when another process builds it, or a document changed since it was ingested
 */
export async function buildIndex(
  runDir: string | Corpus,
  directory: string,
  options: IndexOptions = {},
): Promise<'built' | 'present'> {
  const corpus = typeof runDir === 'string' ? await openCorpus(runDir) : runDir;
  if (hasIndex(directory, corpus)) return 'present';
  const path = indexPath(directory, corpus);
  ensureDirectory(directory);
  const lock = acquireLock(`${path}.lock`, 'building an index of words', 'if-dead');
  try {
    if (hasIndex(directory, corpus)) return 'present';
    removeAbandoned(directory);
    removeUnused(directory);
    await writeIndex(corpus, path, options);
    return 'built';
  } finally {
    lock.release();
  }
}

async function writeIndex(corpus: Corpus, path: string, options: IndexOptions): Promise<void> {
  const parts: string[] = [];
  const merged = temporaryName(path);
  try {
    for await (const part of partsOf(corpus, options)) {
      const name = temporaryName(path);
      parts.push(name);
      part.write(name, corpus.record.chunks);
    }
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return renameSync(only, path);
    await mergeIndexes(parts, merged, { chunks: corpus.record.chunks, breathe: breathe(options.signal) });
    renameSync(merged, path);
  } finally {
    for (const name of [...parts, merged]) rmSync(name, { force: true });
  }
}

/** The corpus by stretches whose terms and postings fit the memory, at least one; each is used until the next. */
async function* partsOf(corpus: Corpus, options: IndexOptions): AsyncGenerator<Part> {
  const breath = breathe(options.signal);
  const notes: string[] = [];
  let buffer = Buffer.alloc(1 << 16);
  const partBytes = options.partBytes ?? PART_BYTES;
  const part = new Part(partBytes);
  for (const text of openTexts(corpus, notes)) {
    await refuseChanged(text, breath);
    const { mtimeMs } = fstatSync(text.fd);
    for (let ordinal = text.firstChunk; ordinal < text.endChunk; ordinal += 1) {
      const length = corpus.spans.length(ordinal);
      if (length > buffer.length) buffer = Buffer.alloc(length);
      const filled = fill(text, buffer.subarray(0, length), 0, corpus.spans.start(ordinal));
      part.add(ordinal, buffer.subarray(0, filled));
      if (part.isFull) {
        yield part;
        part.clear();
      }
      await breath();
    }
    // What was written to meanwhile may have been read half old, half new.
    if (fstatSync(text.fd).mtimeMs !== mtimeMs) await refuseChanged(text, breath);
    options.onProgress?.({ chunks: text.endChunk, total: corpus.record.chunks });
  }
  const [gone] = notes;
  if (gone !== undefined) throw changed(gone);
  yield part;
}

/** An index of other bytes than were ingested would say what does not hold. */
async function refuseChanged(text: OpenText, breath: () => Promise<void> | undefined): Promise<void> {
  const { source, fd } = text;
  const { size, mtimeMs, ino } = fstatSync(fd);
  if (source.text_path !== null) {
    if (size !== source.text_bytes) throw changed(`the text of ${source.path} is not what was extracted`);
  } else if (size !== source.bytes || mtimeMs !== source.mtime_ms || ino !== source.inode) {
    // A log that grew, or a copy: its first bytes may be the same.
    const hash = createHash('sha256');
    const block = Buffer.alloc(1 << 20);
    const document = { fd, size: source.bytes };
    for (let position = 0; position < source.bytes; position += block.length) {
      hash.update(block.subarray(0, fill(document, block, 0, position)));
      await breath();
    }
    if (hash.digest('hex') !== source.sha256) {
      throw changed(`${source.path} changed since it was ingested`);
    }
  }
}

function changed(what: string): RlmError {
  return new RlmError('conflict', `no index can be built: ${what}`, { hint: 'Ingest the documents again.' });
}

/** Removes indexes, and counts of questions, that were not touched for long. */
function removeUnused(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (!/\.v\d+\.(?:idx|asked)$/.test(name)) continue;
    const path = join(directory, name);
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    if (Date.now() - mtimeMs > UNUSED_MS) rmSync(path, { force: true });
  }
}

/** Terms and postings of a stretch of the corpus. */
class Part {
  #words = new WordCounter();
  readonly #lists: PostingLists;
  readonly #bytes: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
    // A chunk is added whole.
    this.#lists = new PostingLists(bytes * 1.125);
  }

  get isFull(): boolean {
    return this.#lists.bytes >= this.#bytes || this.#words.terms.length >= PART_TERMS;
  }

  add(ordinal: number, text: Buffer): void {
    this.#words.count(text, (term, count) => {
      this.#lists.add(term, ordinal, Math.min(count, MAX_COUNT));
    });
  }

  /** Ready for the next stretch. Its words are mostly those of this one: they are cut and stemmed once. */
  clear(): void {
    this.#lists.clear();
    if (this.#words.terms.length > PART_TERMS / 2) this.#words = new WordCounter();
  }

  write(path: string, chunks: number): void {
    const writer = new IndexWriter(path);
    try {
      const names = this.#words.terms.map((term, number) => ({ term, number }));
      names.sort((one, other) => (one.term < other.term ? -1 : 1));
      for (const { term, number } of names) {
        const list = term.length > LONGEST_TERM ? undefined : this.#lists.list(number);
        if (list !== undefined) writer.add({ term, ...list });
      }
      writer.finish(chunks);
    } finally {
      writer.close();
    }
  }
}
