import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { ensureDirectory, temporaryName } from '../../files/index.ts';
import { breathe } from '../breath.ts';
import { type Corpus, openCorpus } from '../corpus.ts';
import { encodePostings, IndexedTallies } from './postings.ts';
import { MAX_COUNT } from './tallies.ts';
import { fill, openTexts } from './texts.ts';
import { WordCounter } from './word-counter.ts';
import { isUnspaced } from './words.ts';

/** Of the way words are made from texts and kept: an index of another version is not used. */
const VERSION = 2;
/** A part is written when it has this many pairs of term and chunk (about 60 MB), or this many terms. */
const PART_PAIRS = 1 << 22;
const PART_TERMS = 1 << 20;

const Last = z.object({ part: z.number().nullable() });
const Postings = z.object({ chunks: z.number(), postings: z.instanceof(Uint8Array) }).optional();

export interface IndexOptions {
  signal?: AbortSignal;
  onProgress?: (done: { chunks: number; total: number }) => void;
}

/** `undefined` where Node has no SQLite (before 22.5). */
async function sqlite(): Promise<typeof DatabaseSync | undefined> {
  try {
    return (await import('node:sqlite')).DatabaseSync;
  } catch {
    return undefined;
  }
}

function indexPath(directory: string, corpus: Corpus): string {
  return join(directory, `${corpus.record.fingerprint}.v${VERSION}.db`);
}

/**
 * Builds an index of a corpus for repeated questions: which chunks hold which terms how often. It holds no text,
 * belongs to exactly these chunks, and can be thrown away. About 100 s and 340 MB a gigabyte, so it pays after some
 * fifty scans (bench/search.ts). SQLite only keeps it. FTS5 took 2.5 times as long to build and twice the room, and
 * it ranks every row of a frequent word by weights that are not ours.
 *
 * @returns `built`, `present`, or `unavailable` where Node has no SQLite: the scan serves there
 */
export async function buildIndex(
  runDir: string | Corpus,
  directory: string,
  options: IndexOptions = {},
): Promise<'built' | 'present' | 'unavailable'> {
  const Database = await sqlite();
  if (Database === undefined) return 'unavailable';
  const corpus = typeof runDir === 'string' ? await openCorpus(runDir) : runDir;
  const path = indexPath(directory, corpus);
  if (existsSync(path)) return 'present';
  ensureDirectory(directory);
  const temporary = temporaryName(path);
  const database = new Database(temporary);
  try {
    await fillIndex(database, corpus, options);
  } catch (error) {
    database.close();
    rmSync(temporary, { force: true });
    throw error;
  }
  database.close();
  renameSync(temporary, path);
  return 'built';
}

async function fillIndex(database: DatabaseSync, corpus: Corpus, options: IndexOptions): Promise<void> {
  const breath = breathe(options.signal);
  // A file that is thrown away when it is not finished needs no journal.
  database.exec(
    `PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
     CREATE TABLE postings (part INTEGER, term TEXT, chunks INTEGER, postings BLOB, PRIMARY KEY (part, term))
     WITHOUT ROWID;
     BEGIN`,
  );
  const insert = database.prepare('INSERT INTO postings VALUES (?, ?, ?, ?)');
  let parts = 0;
  let part = new Part();
  const write = () => {
    for (const { term, ordinals, counts } of part.sorted()) {
      insert.run(parts, term, ordinals.length, encodePostings(ordinals, counts));
    }
    parts += 1;
    part = new Part();
  };
  for (const text of openTexts(corpus, [])) {
    for (let ordinal = text.firstChunk; ordinal < text.endChunk; ordinal += 1) {
      const bytes = Buffer.allocUnsafe(corpus.spans.length(ordinal));
      const filled = fill(text, bytes, 0, corpus.spans.start(ordinal));
      if (!part.add(ordinal, bytes.subarray(0, filled))) {
        write();
        part.add(ordinal, bytes.subarray(0, filled));
      }
      await breath();
    }
    options.onProgress?.({ chunks: text.endChunk, total: corpus.record.chunks });
  }
  write();
  database.exec('COMMIT');
}

/** Terms and chunks of a stretch of the corpus, gathered in the order of the chunks. */
class Part {
  readonly #words = new WordCounter();
  readonly #terms = new Uint32Array(PART_PAIRS);
  readonly #ordinals = new Uint32Array(PART_PAIRS);
  readonly #counts = new Uint16Array(PART_PAIRS);
  #used = 0;

  /** False, with nothing added, when the part is full. */
  add(ordinal: number, text: Buffer): boolean {
    // A chunk has at most one word for each two bytes.
    const room = PART_PAIRS - this.#used;
    if (this.#used > 0 && (room <= text.length || this.#words.terms.length >= PART_TERMS)) return false;
    this.#words.count(text, (term, count) => {
      this.#terms[this.#used] = term;
      this.#ordinals[this.#used] = ordinal;
      this.#counts[this.#used] = Math.min(MAX_COUNT, count);
      this.#used += 1;
    });
    return true;
  }

  /** The chunks of each term, terms in the order of the table. */
  *sorted(): Generator<{ term: string; ordinals: Uint32Array; counts: Uint16Array }> {
    const names = this.#words.terms;
    const ends = new Uint32Array(names.length + 1);
    for (let pair = 0; pair < this.#used; pair += 1) {
      const term = (this.#terms[pair] ?? 0) + 1;
      ends[term] = (ends[term] ?? 0) + 1;
    }
    for (let term = 1; term <= names.length; term += 1)
      ends[term] = (ends[term] ?? 0) + (ends[term - 1] ?? 0);
    const starts = ends.slice();
    const ordinals = new Uint32Array(this.#used);
    const counts = new Uint16Array(this.#used);
    for (let pair = 0; pair < this.#used; pair += 1) {
      const term = this.#terms[pair] ?? 0;
      const place = starts[term] ?? 0;
      starts[term] = place + 1;
      ordinals[place] = this.#ordinals[pair] ?? 0;
      counts[place] = this.#counts[pair] ?? 0;
    }
    for (const [name, term] of names.map((text, index) => [text, index] as const).sort(byName)) {
      const [from, to] = [ends[term], ends[term + 1]];
      yield { term: name, ordinals: ordinals.subarray(from, to), counts: counts.subarray(from, to) };
    }
  }
}

function byName([one]: readonly [string, number], [other]: readonly [string, number]): number {
  return one < other ? -1 : 1;
}

/** Where some terms stand, from the index of this corpus; undefined when there is none that can be used. */
export async function readIndex(
  directory: string,
  corpus: Corpus,
  terms: readonly string[],
): Promise<IndexedTallies | undefined> {
  const path = indexPath(directory, corpus);
  // Scripts without spaces are indexed by pairs: a single letter is for the scan.
  const single = terms.some((term) => isUnspaced(term) && [...term].length === 1);
  if (single || !existsSync(path)) return undefined;
  const Database = await sqlite();
  if (Database === undefined) return undefined;
  const database = new Database(path, { readOnly: true });
  try {
    const last = Last.parse(database.prepare('SELECT max(part) AS part FROM postings').get()).part ?? -1;
    const find = database.prepare('SELECT chunks, postings FROM postings WHERE part = ? AND term = ?');
    const lists: { term: number; chunks: number; postings: Uint8Array }[] = [];
    for (const [term, name] of terms.entries()) {
      for (let part = 0; part <= last; part += 1) {
        const found = Postings.parse(find.get(part, name));
        if (found !== undefined) lists.push({ term, ...found });
      }
    }
    return new IndexedTallies(corpus.record.chunks, terms.length, lists);
  } finally {
    database.close();
  }
}
