import type { Term } from './question.ts';
import { visitStems } from './words.ts';

/** Counts the occurrences of each term in a piece of text: 0..n; a fraction for a part of an unspaced word. */
export type Counter = (text: string) => number[];

/** Makes the counter of a question's terms; it looks at each word once, whatever the number of terms. */
export function counterOf(terms: readonly Term[]): Counter {
  const slots = new Map<string, number>();
  for (const { match } of terms) {
    if (match.kind !== 'stem') continue;
    for (const word of [match.whole, ...match.parts]) if (!slots.has(word)) slots.set(word, slots.size);
  }
  return (text) => {
    const found = new Array<number>(slots.size).fill(0);
    if (slots.size > 0) {
      visitStems(text, (stem) => {
        const slot = slots.get(stem);
        if (slot !== undefined) found[slot] = (found[slot] ?? 0) + 1;
      });
    }
    const seen = (word: string) => found[slots.get(word) ?? -1] ?? 0;
    return terms.map(({ match }) => {
      if (match.kind === 'substring') return countUnspaced(text, match);
      const whole = seen(match.whole);
      return whole > 0 || match.parts.length === 0 ? whole : Math.min(...match.parts.map(seen));
    });
  };
}

/** A word of an unspaced script counts in full where it stands, and in part where half of its pairs do. */
function countUnspaced(
  text: string,
  { word, bigrams }: { word: string; bigrams: readonly string[] },
): number {
  if (text.includes(word)) return text.split(word).length - 1;
  const shared = bigrams.filter((bigram) => text.includes(bigram)).length;
  return bigrams.length > 0 && shared * 2 >= bigrams.length ? shared / bigrams.length : 0;
}
