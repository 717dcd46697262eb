/** How much it says that a text holds a stem (of a compound: its parts), 0..1: 1 for one that stands nowhere. */
export type Rarity = (stem: string, parts?: readonly string[]) => number;

/** Nothing is known about the documents. */
export const everyWord: Rarity = () => 1;

/** So many chunks without the word are added: what three chunks have in common need not be a common word. */
const OTHER_CHUNKS = 100;

/**
 * Rarity from the number of chunks that hold a stem: the square root of what BM25 takes (the full weight would let
 * one rare word stand for a question).
 *
 * @param holding chunks that hold a stem; undefined for one that was not counted
 * @param chunks chunks in all
 */
export function rarityIn(holding: (stem: string) => number | undefined, chunks: number): Rarity {
  const all = chunks + OTHER_CHUNKS;
  const most = inverse(0, all);
  return (stem, parts = []) => {
    const own = holding(stem) ?? 0;
    // The documents' words are counted by parts: a compound stands where they come together.
    const together = parts.reduce((share, part) => (share * (holding(part) ?? 0)) / chunks, chunks);
    return Math.sqrt(inverse(parts.length > 0 ? Math.max(own, together) : own, all) / most);
  };
}

function inverse(holding: number, all: number): number {
  return Math.log(1 + (all - holding + 0.5) / (holding + 0.5));
}
