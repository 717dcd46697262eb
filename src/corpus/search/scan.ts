import type { Corpus } from '../corpus.ts';
import type { Spans } from '../spans.ts';
import { LiteralFinder } from './literals.ts';
import { LiteralMatcher, LONGEST_CHARACTER, LONGEST_WORD, WordMatcher } from './matchers.ts';
import { Tallies } from './tallies.ts';
import { fill, type OpenText, openTexts } from './texts.ts';
import { commonPrefix } from './words.ts';

export interface ScanOptions {
  breathe: () => Promise<void> | undefined;
  notes: string[];
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
      await options.breathe();
      if (done) break;
      buffer.copyWithin(0, limit - LONGEST_CHARACTER, filled);
      position += limit - LONGEST_CHARACTER;
      kept = filled - limit + LONGEST_CHARACTER;
      seen = LONGEST_CHARACTER;
    }
    tallies.end();
  }
}
