import { breathe } from '../breath.ts';
import type { Corpus } from '../corpus.ts';
import { countTerms } from './scan.ts';

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
  const tallies = await countTerms(corpus, words, { breathe: breathe(options.signal), notes: [] });
  return new Map(words.map((word, index) => [word, tallies.documentFrequency[index] ?? 0]));
}
