import { appendFileSync, existsSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDirectory, FILE_MODE } from '../../files/index.ts';
import type { Corpus } from '../corpus.ts';
import { IndexFile } from './index-file.ts';
import { IndexedTallies } from './postings.ts';
import { isUnspaced } from './words.ts';

/** Of the way words are made from texts and kept: an index of another version is not used. */
const VERSION = 3;
/** Bytes of text from which an index is worth its making. */
const WORTH_BYTES = 64e6;
/** When an index was last asked is kept to a day. */
const DAY_MS = 24 * 3_600_000;

/** Where the index of a corpus is, or will be: by the hashes of its chunks, so that it fits no other text. */
export function indexPath(directory: string, corpus: Corpus): string {
  return join(directory, `${corpus.record.fingerprint}.v${VERSION}.idx`);
}

/** Whether there is an index of these chunks that can be used. */
export function hasIndex(directory: string, corpus: Corpus): boolean {
  const path = indexPath(directory, corpus);
  if (!existsSync(path)) return false;
  const index = IndexFile.open(path, corpus.record.chunks);
  index?.close();
  return index !== undefined;
}

/** Why no index served. */
export interface IndexMiss {
  missing: string;
}

/** Where some terms stand, from the index of this corpus; or why there is none that can be used. */
export function readIndex(
  directory: string,
  corpus: Corpus,
  terms: readonly string[],
): IndexedTallies | IndexMiss {
  // Scripts without spaces are indexed by pairs: a single letter is for the scan.
  if (terms.some((term) => isUnspaced(term) && [...term].length === 1)) {
    return { missing: 'a single character is asked for, which an index does not hold' };
  }
  const path = indexPath(directory, corpus);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return { missing: whyNone(corpus) };
  const index = IndexFile.open(path, corpus.record.chunks);
  if (index === undefined) return { missing: 'the index of these documents is damaged' };
  try {
    if (Date.now() - found.mtimeMs > DAY_MS) touch(path);
    const lists: { term: number; chunks: number; postings: Uint8Array }[] = [];
    for (const [term, name] of terms.entries()) {
      const list = index.find(name);
      if (list !== undefined) lists.push({ term, ...list });
    }
    return new IndexedTallies(corpus.record.chunks, terms.length, lists);
  } finally {
    index.close();
  }
}

/** What is asked is kept: a later build knows it by its time of change. */
function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // Where nothing can be written nothing is removed either.
  }
}

function whyNone(corpus: Corpus): string {
  if (corpus.record.index === 'never') return 'these documents were ingested with index: never';
  if (isWorthAnIndex(corpus))
    return 'no index yet: one is made in the background when these documents are asked again';
  const { bytes } = corpus.record;
  const size = bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${Math.round(bytes / 1e6)} MB`;
  return `the text is small (${size}): a scan is as fast`;
}

/** Whether questions are answered sooner with an index: a scan of less takes a tenth of a second. */
export function isWorthAnIndex(corpus: Corpus): boolean {
  return corpus.record.bytes >= WORTH_BYTES && corpus.record.index !== 'never';
}

/** Remembers that a corpus was scanned for a question: who asks it again is given an index. */
export function noteScan(directory: string, corpus: Corpus): void {
  if (!isWorthAnIndex(corpus)) return;
  try {
    ensureDirectory(directory);
    // A byte a scan: appending needs no lock.
    appendFileSync(askedPath(directory, corpus), '.', { mode: FILE_MODE });
  } catch {
    // Where nothing can be written no index can be made either; the search itself is done.
  }
}

/** How many questions a corpus was scanned for. */
export function scansOf(directory: string, corpus: Corpus): number {
  return statSync(askedPath(directory, corpus), { throwIfNoEntry: false })?.size ?? 0;
}

function askedPath(directory: string, corpus: Corpus): string {
  return join(directory, `${corpus.record.fingerprint}.v${VERSION}.asked`);
}
