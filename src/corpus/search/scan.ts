import { closeSync, openSync } from 'node:fs';
import type { ReadSource } from '../../contracts/index.ts';
import { messageOf } from '../../errors.ts';
import { readInto } from '../../files/index.ts';
import { type Corpus, textFile } from '../corpus.ts';
import { yieldRegularly } from '../event-loop.ts';
import type { Spans } from '../spans.ts';
import { LiteralFinder } from './literals.ts';
import { LiteralMatcher, LONGEST_CHARACTER, LONGEST_WORD, WordMatcher } from './matchers.ts';
import { Tallies } from './tallies.ts';
import { commonPrefix } from './words.ts';

/** A source's text and its chunks, for a pass over the corpus. */
export interface OpenText {
  fd: number;
  size: number;
  /** Ordinals of its chunks: first, and one after the last. */
  firstChunk: number;
  endChunk: number;
  source: ReadSource;
}

/** Opens the texts of a corpus one after the other; what can no longer be opened is noted. */
export function* openTexts(corpus: Corpus, notes: string[]): Generator<OpenText> {
  let chunk = 0;
  for (const source of corpus.sources) {
    if (source.status !== 'read' || source.chunks === 0) continue;
    const firstChunk = chunk;
    chunk += source.chunks;
    let fd: number;
    try {
      fd = openSync(textFile(corpus, source), 'r');
    } catch (error) {
      notes.push(`not searched: ${source.path} (${messageOf(error)})`);
      continue;
    }
    try {
      yield { fd, size: source.text_bytes, firstChunk, endChunk: chunk, source };
    } finally {
      closeSync(fd);
    }
  }
}

/** Reads into `buffer` from `offset` until it is full or the text ends; returns how many bytes came. */
function fill(text: { fd: number; size: number }, buffer: Buffer, offset: number, position: number): number {
  const wanted = Math.min(buffer.length - offset, text.size - position);
  return readInto(text.fd, buffer, offset, wanted, position);
}

export interface ScanOptions {
  yieldIfDue: () => Promise<void> | undefined;
  notes: string[];
  /** The terms are ASCII texts in lower case that may stand anywhere, also inside words. */
  literal?: boolean;
}

/**
 * Counts in which chunks each term occurs and how often: one pass over the bytes of all texts, with memory for
 * one block and for what was found. Only where a word begins like one of the terms is it read and stemmed.
 *
 * @param terms stems, or pairs of letters of a script without spaces
 */
export async function countTerms(
  corpus: Corpus,
  terms: readonly string[],
  options: ScanOptions,
): Promise<Tallies> {
  const tallies = new Tallies(terms.length);
  const literal = options.literal ?? false;
  const patterns = [...new Set(literal ? terms : terms.map(commonPrefix))];
  if (patterns.length === 0) return tallies;
  const finder = new LiteralFinder(patterns, { insideWords: literal });
  const matcher = literal ? new LiteralMatcher(terms) : new WordMatcher(terms);
  for (const text of openTexts(corpus, options.notes)) await scanText(corpus.spans, text);
  return tallies;

  async function scanText(spans: Spans, text: OpenText): Promise<void> {
    tallies.begin(spans, text.firstChunk, text.endChunk);
    const buffer = finder.text;
    const last = text.endChunk - 1;
    const end = Math.min(text.size, spans.start(last) + spans.length(last));
    let position = spans.start(text.firstChunk);
    let kept = 0;
    // Of the block before, the last character is kept as well, to see whether a word goes on.
    let seen = 0;
    const found = (offset: number, term: number) => tallies.count(position + offset, term);
    while (position < end) {
      const read = fill(text, buffer, kept, position + kept);
      const filled = Math.min(kept + read, end - position);
      const done = position + filled >= end || read === 0;
      const limit = done ? filled : filled - LONGEST_WORD;
      finder.candidates(limit, filled, (offset) => {
        if (offset >= seen) matcher.visit(buffer, offset, filled, found);
      });
      await options.yieldIfDue();
      if (done) break;
      buffer.copyWithin(0, limit - LONGEST_CHARACTER, filled);
      position += limit - LONGEST_CHARACTER;
      kept = filled - limit + LONGEST_CHARACTER;
      seen = LONGEST_CHARACTER;
    }
    tallies.end();
  }
}

/**
 * In how many chunks each stem occurs: one pass over the texts.
 *
 * @param stems in lower case, as Porter's stemmer gives them
 * @returns for each of them; none for a single letter, which is not looked for
 */
export async function chunkFrequencies(
  corpus: Corpus,
  stems: readonly string[],
  options: { signal?: AbortSignal } = {},
): Promise<Map<string, number>> {
  const words = stems.filter((stem) => stem.length > 1);
  const tallies = await countTerms(corpus, words, {
    yieldIfDue: yieldRegularly(options.signal),
    notes: [],
  });
  return new Map(words.map((word, index) => [word, tallies.documentFrequency[index] ?? 0]));
}
