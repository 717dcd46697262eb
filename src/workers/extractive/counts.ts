import type { LikeWord } from './like-words.ts';
import { everyWord, type Rarity } from './rarity.ts';
import type { Term } from './term.ts';
import { stemsOf, visitWords } from './words.ts';

/** How well a piece of text holds each term: 1 for the word itself, less for a word of like meaning or a part. */
export type Counter = (text: string) => number[];

/** The parts of an identifier may stand apart, and then mean something else. */
const PARTS = 0.8;

/** Words come again and again; bounded, because a chunk of random letters has no end of new ones. */
const MAX_KNOWN = 20_000;
const NONE: readonly number[] = [];

/**
 * Makes the counter of a question's terms; it looks at each word once, whatever the number of terms.
 *
 * @param prefilter what is no hit of it holds no term
 * @param rarity how much a stem says in these documents, 0..1: a word of like meaning that is more common than
 *   the question's own counts for less by that
 */
export function counterOf(
  terms: readonly Term[],
  prefilter: RegExp | undefined,
  rarity: Rarity = everyWord,
): Counter {
  const slots = new Map<string, number>();
  const slotOf = (stem: string) => {
    const slot = slots.get(stem) ?? slots.size;
    slots.set(stem, slot);
    return slot;
  };
  const wanted = terms.map(({ match }) => {
    if (match.kind === 'substring') return match;
    const others = weighedOthers(match, rarity).sort((a, b) => b.degree - a.degree);
    return {
      whole: slotOf(match.whole),
      parts: match.parts.map(slotOf),
      others: others.map(({ stem, degree }) => ({ slot: slotOf(stem), degree })),
    };
  });
  const known = new Map<string, readonly number[]>();
  const slotsOf = (written: string): readonly number[] => {
    let own = known.get(written);
    if (own === undefined) {
      if (known.size >= MAX_KNOWN) known.clear();
      const found = prefilter?.test(written) === false ? [] : stemsOf(written);
      own = found.flatMap((stem) => slots.get(stem) ?? []);
      // A slice of a match keeps the whole chunk alive; what is kept must not.
      known.set(Buffer.from(written).toString(), own.length === 0 ? NONE : own);
    }
    return own;
  };
  const none: number[] = terms.map(() => 0);
  const unspaced = wanted.some((one) => 'word' in one);
  const seen = new Uint8Array(slots.size);
  return (text) => {
    let any = false;
    if (slots.size > 0) {
      visitWords(text, (written, compound) => {
        for (const slot of slotsOf(written)) {
          if (!any) seen.fill(0);
          any = true;
          seen[slot] = 1;
        }
        const slot = compound === undefined ? undefined : slots.get(compound);
        if (slot === undefined) return;
        if (!any) seen.fill(0);
        any = true;
        seen[slot] = 1;
      });
    }
    if (!any && !unspaced) return none;
    return wanted.map((one) => {
      if ('word' in one) return degreeUnspaced(text, one);
      if (!any) return 0;
      if (seen[one.whole] === 1) return 1;
      const parts = one.parts.length > 0 && one.parts.every((slot) => seen[slot] === 1) ? PARTS : 0;
      for (const { slot, degree } of one.others) {
        if (degree <= parts) break;
        if (seen[slot] === 1) return degree;
      }
      return parts;
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
