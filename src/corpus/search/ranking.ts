import type { Corpus } from '../corpus.ts';
import type { Question } from './question.ts';
import type { ChunkVisitor, Tallies } from './tallies.ts';

/** A chunk and how well it fits. */
export interface Scored {
  ordinal: number;
  score: number;
}

/** Keeps the best `limit` of many; of equal ones the first in the corpus. */
export class Top {
  readonly #limit: number;
  #kept: Scored[] = [];
  #threshold = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What scores no more than this is not kept. */
  get threshold(): number {
    return this.#threshold;
  }

  offer(ordinal: number, score: number): void {
    if (score <= this.#threshold) return;
    this.#kept.push({ ordinal, score });
    // Sorted once in a while: cheaper than a heap at these sizes.
    if (this.#kept.length >= this.#limit * 4 + 64) this.#trim();
  }

  best(): Scored[] {
    this.#trim();
    return this.#kept;
  }

  #trim(): void {
    this.#kept.sort((a, b) => b.score - a.score || a.ordinal - b.ordinal);
    if (this.#kept.length < this.#limit) return;
    this.#kept.length = this.#limit;
    this.#threshold = this.#kept.at(-1)?.score ?? 0;
  }
}

/** The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009). */
const K = 60;

/** Joins rankings by the places things have in them: 1 / (60 + place), summed. */
export function fuse(rankings: readonly (readonly Scored[])[], limit: number): Scored[] {
  const scores = new Map<number, number>();
  for (const ranking of rankings) {
    for (const [place, { ordinal }] of ranking.entries()) {
      scores.set(ordinal, (scores.get(ordinal) ?? 0) + 1 / (K + place + 1));
    }
  }
  return [...scores]
    .map(([ordinal, score]) => ({ ordinal, score }))
    .sort((a, b) => b.score - a.score || a.ordinal - b.ordinal)
    .slice(0, limit);
}

/** The usual constants of Okapi BM25: saturation of repeated terms, and how far long chunks are held back. */
const K1 = 1.2;
const B = 0.75;

export interface Ranking {
  /** The best first. */
  best: Scored[];
  /** How many chunks matched at all. */
  matching: number;
}

/**
 * Ranks chunks by BM25. A group of terms for one thing counts as its best member does, so that
 * other forms help a chunk that lacks the word itself and add nothing to one that has it. Length is in bytes.
 */
export function rank(
  corpus: Corpus,
  question: Question,
  terms: ReadonlyMap<string, number>,
  tallies: Tallies,
  limit: number,
): Ranking {
  const { chunks } = corpus.record;
  const { averageLength } = corpus.spans;
  /** For each term of the pass: the groups it belongs to, with its weight times its rarity. */
  const uses: { group: number; factor: number }[][] = Array.from({ length: terms.size }, () => []);
  for (const [group, { members }] of question.groups.entries()) {
    for (const { term, weight } of members) {
      const index = terms.get(term);
      if (index === undefined) continue;
      const frequency = tallies.documentFrequency[index] ?? 0;
      const rarity = Math.log(1 + (chunks - frequency + 0.5) / (frequency + 0.5));
      uses[index]?.push({ group, factor: weight * rarity });
    }
  }
  /** No chunk gets more from a term, however often it occurs. */
  const bounds = Float64Array.from(
    uses,
    (own) => (K1 + 1) * own.reduce((sum, { factor }) => sum + factor, 0),
  );
  const scores = new Float64Array(question.groups.length);
  const top = new Top(limit);
  let matching = 0;
  const visit: ChunkVisitor = (ordinal, entries, from, to) => {
    let bound = 0;
    for (let at = from; at < to; at += 1) bound += bounds[(entries[at] ?? 0) >>> 16] ?? 0;
    if (bound === 0) return;
    matching += 1;
    // Most chunks hold one frequent word and cannot come among the best.
    if (bound <= top.threshold) return;
    // By index throughout: this runs for each chunk that holds any term, and iterators cost half of it.
    for (let group = 0; group < scores.length; group += 1) scores[group] = 0;
    const norm = K1 * (1 - B + (B * corpus.spans.length(ordinal)) / averageLength);
    for (let at = from; at < to; at += 1) {
      const entry = entries[at] ?? 0;
      const count = entry & 0xffff;
      const weight = (count * (K1 + 1)) / (count + norm);
      const own = uses[entry >>> 16] ?? [];
      for (let index = 0; index < own.length; index += 1) {
        const use = own[index];
        if (use === undefined) continue;
        const score = use.factor * weight;
        if (score > (scores[use.group] ?? 0)) scores[use.group] = score;
      }
    }
    let score = 0;
    for (let group = 0; group < scores.length; group += 1) score += scores[group] ?? 0;
    top.offer(ordinal, score);
  };
  tallies.visit(visit);
  return { best: top.best(), matching };
}
