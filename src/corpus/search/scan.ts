import type { Corpus } from '../corpus.ts';
import { LiteralFinder } from './literals.ts';
import { LiteralMatcher, LONGEST_CHARACTER, LONGEST_WORD, WordMatcher } from './matchers.ts';
import { Tallies } from './tallies.ts';
import { fill, type OpenText, openTexts } from './texts.ts';
import { commonPrefix } from './words.ts';

export interface ScanOptions {
  breathe: () => Promise<void> | undefined;
  notes: string[];
  /** When given, nothing but these chunks is looked at (ordinals, ascending). */
  only?: readonly number[];
  /** The terms are ASCII texts in lower case that may stand anywhere, also inside words. */
  literal?: boolean;
}

/**
 * Counts in which chunks each term stands and how often: one pass over the bytes of all texts, with memory for
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
  for (const text of openTexts(corpus, options.notes, options.only)) {
    for (const [from, to] of rangesOf(text, options.only)) {
      await scanRange(corpus, text, from, to);
    }
  }
  return tallies;

  async function scanRange(on: Corpus, text: OpenText, from: number, to: number): Promise<void> {
    const { spans } = on;
    tallies.begin(spans, from, to);
    const buffer = finder.text;
    const end = Math.min(text.size, spans.start(to - 1) + spans.length(to - 1));
    let position = spans.start(from);
    let kept = 0;
    // Of the block before, the last character is kept as well, to see whether a word goes on.
    let seen = 0;
    const found = (offset: number, term: number) => tallies.count(position + offset, term);
    while (position < end) {
      const read = fill(text, buffer, kept, position + kept);
      const filled = Math.min(kept + read, end - position);
      const last = position + filled >= end || read === 0;
      const limit = last ? filled : filled - LONGEST_WORD;
      finder.candidates(limit, filled, (offset) => {
        if (offset >= seen) matcher.visit(buffer, offset, filled, found);
      });
      await options.breathe();
      if (last) break;
      buffer.copyWithin(0, limit - LONGEST_CHARACTER, filled);
      position += limit - LONGEST_CHARACTER;
      kept = filled - limit + LONGEST_CHARACTER;
      seen = LONGEST_CHARACTER;
    }
    tallies.end();
  }
}

/** Runs of neighbouring chunks of a text that are to be looked at: first, and one after the last. */
function* rangesOf(text: OpenText, only: readonly number[] | undefined): Generator<[number, number]> {
  if (only === undefined) {
    yield [text.firstChunk, text.endChunk];
    return;
  }
  for (const ordinal of only) {
    if (ordinal >= text.firstChunk && ordinal < text.endChunk) yield [ordinal, ordinal + 1];
  }
}
