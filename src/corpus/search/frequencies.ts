import { breathe } from '../breath.ts';
import type { Corpus } from '../corpus.ts';
import { countTerms } from './scan.ts';
import { readIndex } from './word-index.ts';

/**
 * In how many chunks each stem stands: from the index where there is one, else in one pass over the texts.
 *
 * @param stems in lower case, as Porter's stemmer gives them
 * @returns for each of them; none for a single letter, which is not looked for
 */
export async function chunkFrequencies(
  corpus: Corpus,
  stems: readonly string[],
  options: { indexDirectory?: string; signal?: AbortSignal } = {},
): Promise<Map<string, number>> {
  const { indexDirectory, signal } = options;
  const words = stems.filter((stem) => stem.length > 1);
  const indexed = indexDirectory === undefined ? undefined : readIndex(indexDirectory, corpus, words);
  const tallies =
    indexed === undefined || 'missing' in indexed
      ? await countTerms(corpus, words, { breathe: breathe(signal), notes: [] })
      : indexed;
  return new Map(words.map((word, index) => [word, tallies.documentFrequency[index] ?? 0]));
}
