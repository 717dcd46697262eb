import type { LikeWord } from './like-words.ts';
import type { Term } from './question.ts';
import { everyWord, type Rarity } from './rarity.ts';
import { visitStems } from './words.ts';

/** How well a piece of text holds each term: 1 for the word itself, less for a word of like meaning or a part. */
export type Counter = (text: string) => number[];

/** The parts of an identifier may stand apart, and then mean something else. */
const PARTS = 0.8;

/**
 * Makes the counter of a question's terms; it looks at each word once, whatever the number of terms.
 *
 * @param rarity how much a stem says in these documents, 0..1: a word of like meaning that is more common than
 *   the question's own counts for less by that
 */
export function counterOf(terms: readonly Term[], rarity: Rarity = everyWord): Counter {
  const slots = new Map<string, number>();
  for (const { match } of terms) {
    if (match.kind !== 'stem') continue;
    for (const word of [match.whole, ...match.parts]) if (!slots.has(word)) slots.set(word, slots.size);
    for (const { stem } of match.others) if (!slots.has(stem)) slots.set(stem, slots.size);
  }
  const others = terms.map(({ match }) => (match.kind === 'stem' ? weighedOthers(match, rarity) : []));
  const found = new Uint8Array(slots.size);
  const none: number[] = terms.map(() => 0);
  const unspaced = terms.some(({ match }) => match.kind === 'substring');
  return (text) => {
    let any = false;
    found.fill(0);
    if (slots.size > 0) {
      visitStems(text, (stem) => {
        const slot = slots.get(stem);
        if (slot === undefined) return;
        found[slot] = 1;
        any = true;
      });
    }
    if (!any && !unspaced) return none;
    const seen = (word: string) => found[slots.get(word) ?? -1] === 1;
    return terms.map(({ match }, term) => {
      if (match.kind === 'substring') return degreeUnspaced(text, match);
      if (seen(match.whole)) return 1;
      let best = match.parts.length > 0 && match.parts.every(seen) ? PARTS : 0;
      for (const { stem, degree } of others[term] ?? []) if (degree > best && seen(stem)) best = degree;
      return best;
    });
  };
}

function weighedOthers(match: Extract<Term['match'], { kind: 'stem' }>, rarity: Rarity): LikeWord[] {
  const own = rarity(match.whole, match.parts);
  return match.others.map(({ stem, degree }) => ({
    stem,
    degree: degree * Math.min(1, rarity(stem) / (own || 1)),
  }));
}

/** A word of an unspaced script counts in full where it stands, and in part where half of its pairs do. */
function degreeUnspaced(
  text: string,
  { word, bigrams }: { word: string; bigrams: readonly string[] },
): number {
  if (text.includes(word)) return 1;
  const shared = bigrams.filter((bigram) => text.includes(bigram)).length;
  return bigrams.length > 0 && shared * 2 >= bigrams.length ? shared / bigrams.length : 0;
}
