import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { ensureDirectory, temporaryName } from '../../files/index.ts';
import { breathe } from '../breath.ts';
import { type Corpus, openCorpus } from '../corpus.ts';
import type { Question } from './question.ts';
import { fill, openTexts } from './texts.ts';
import { isUnspaced, wordsOf } from './words.ts';

/** Rows that a query may rank: the rarest terms are asked for first, and more would take too long. */
const MAX_ROWS = 20_000;
/** Candidates for each hit wanted, and at least: FTS5 knows nothing of our weights, so some room is left. */
const CANDIDATES_FOR_EACH = 4;
const MIN_CANDIDATES = 200;
/** Of the way words are made from texts: an index of another version is not used. */
const VERSION = 1;

const Frequency = z.object({ doc: z.number() }).optional();
const Row = z.object({ rowid: z.number() });

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
 * Builds an FTS5 index of a corpus for repeated questions: about two minutes a gigabyte, so it pays after some
 * fifty scans (DEPENDENCIES.md). It holds no text, belongs to exactly these chunks, and can be thrown away.
 *
 * @returns `built`, `present`, or `unavailable` where Node has no SQLite: the scan serves there
 */
export async function buildIndex(
  runDir: string | Corpus,
  directory: string,
  options: { signal?: AbortSignal; onProgress?: (done: { chunks: number; total: number }) => void } = {},
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

async function fillIndex(
  database: DatabaseSync,
  corpus: Corpus,
  options: { signal?: AbortSignal; onProgress?: (done: { chunks: number; total: number }) => void },
): Promise<void> {
  const breath = breathe(options.signal);
  // A file that is thrown away when it is not finished needs no journal.
  database.exec(
    `PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
     CREATE VIRTUAL TABLE chunks USING fts5(terms, content='', tokenize='ascii');
     CREATE VIRTUAL TABLE vocabulary USING fts5vocab(chunks, 'row');
     BEGIN`,
  );
  const insert = database.prepare('INSERT INTO chunks (rowid, terms) VALUES (?, ?)');
  for (const text of openTexts(corpus, [])) {
    for (let ordinal = text.firstChunk; ordinal < text.endChunk; ordinal += 1) {
      const bytes = Buffer.allocUnsafe(corpus.spans.length(ordinal));
      const filled = fill(text, bytes, 0, corpus.spans.start(ordinal));
      const terms: string[] = [];
      for (const { term } of wordsOf(bytes.toString('utf8', 0, filled))) terms.push(term);
      insert.run(ordinal + 1, terms.join(' '));
      await breath();
    }
    options.onProgress?.({ chunks: text.endChunk, total: corpus.record.chunks });
  }
  database.exec("COMMIT; INSERT INTO chunks(chunks) VALUES ('optimize')");
}

/** Chunks worth scoring for some questions (ascending), and how many chunks hold each term. */
export interface IndexCandidates {
  ordinals: number[];
  frequencies: number[];
}

/** Asks the index of this corpus, or returns undefined when there is none that can be used. */
export async function findCandidates(
  directory: string,
  corpus: Corpus,
  questions: readonly Question[],
  terms: readonly string[],
  limit: number,
): Promise<IndexCandidates | undefined> {
  const path = indexPath(directory, corpus);
  // Scripts without spaces are indexed by pairs: a single letter is for the scan.
  const single = terms.some((term) => isUnspaced(term) && [...term].length === 1);
  if (single || !existsSync(path)) return undefined;
  const Database = await sqlite();
  if (Database === undefined) return undefined;
  const database = new Database(path, { readOnly: true });
  try {
    const frequency = database.prepare('SELECT doc FROM vocabulary WHERE term = ?');
    const known = new Map(terms.map((term) => [term, Frequency.parse(frequency.get(term))?.doc ?? 0]));
    const match = database.prepare('SELECT rowid FROM chunks WHERE chunks MATCH ? ORDER BY rank LIMIT ?');
    const found = new Set<number>();
    for (const { groups } of questions) {
      const own = groups.flatMap(({ members }) => members.map(({ term }) => term));
      const asked = rarest(own, known);
      if (asked.length === 0) continue;
      const expression = asked.map((term) => `"${term.replaceAll('"', '""')}"`).join(' OR ');
      const count = Math.max(MIN_CANDIDATES, limit * CANDIDATES_FOR_EACH);
      for (const row of match.all(expression, count)) found.add(Row.parse(row).rowid - 1);
    }
    return {
      ordinals: [...found].sort((a, b) => a - b),
      frequencies: terms.map((term) => known.get(term) ?? 0),
    };
  } finally {
    database.close();
  }
}

/** The rarest terms that together stand in few enough chunks; always one. */
function rarest(terms: readonly string[], frequencies: ReadonlyMap<string, number>): string[] {
  const present = [...new Set(terms)]
    .map((term) => ({ term, count: frequencies.get(term) ?? 0 }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => a.count - b.count);
  let rows = 0;
  return present
    .filter(({ count }, index) => {
      rows += count;
      return index === 0 || rows <= MAX_ROWS;
    })
    .map(({ term }) => term);
}
