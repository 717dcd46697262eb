import type { Corpus } from '../corpus.ts';
import type { Question } from './question.ts';
import type { Tallies } from './tallies.ts';
import { type Scored, Top } from './top.ts';

/** The usual constants of Okapi BM25: saturation of repeated terms, and how far long chunks are held back. */
const K1 = 1.2;
const B = 0.75;

export interface Ranking {
  best: Scored[];
  matching: number;
}

/**
 * Ranks chunks by BM25. A group of terms that stand for one thing counts as its best member does, so that
 * synonyms help a chunk that lacks the word itself and add nothing to one that has it. Length is in bytes.
 */
export function rank(
  corpus: Corpus,
  question: Question,
  terms: ReadonlyMap<string, number>,
  tallies: Pick<Tallies, 'documentFrequency' | 'visit'>,
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
  const top = new Top(limit);
  const scores = new Float64Array(question.groups.length);
  let matching = 0;
  tallies.visit((ordinal, found) => {
    scores.fill(0);
    const norm = K1 * (1 - B + (B * corpus.spans.length(ordinal)) / averageLength);
    for (const entry of found) {
      const count = entry & 0xffff;
      for (const { group, factor } of uses[entry >>> 16] ?? []) {
        const score = (factor * count * (K1 + 1)) / (count + norm);
        if (score > (scores[group] ?? 0)) scores[group] = score;
      }
    }
    let score = 0;
    for (const part of scores) score += part;
    if (score === 0) return;
    matching += 1;
    top.offer(ordinal, score);
  });
  return { best: top.best(), matching };
}
