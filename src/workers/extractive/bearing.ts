import type { Question } from './question.ts';

/** A heading above a passage, or the name of its document, counts for its terms, but less than its own words. */
const HEADING_SHARE = 0.75;

/** How well each term of a question is held, 0..1: by a passage itself, or by the headings above it. */
export function heldDegrees(own: readonly number[], inherited: readonly number[]): number[] {
  return own.map((degree, term) => Math.max(degree, HEADING_SHARE * (inherited[term] ?? 0)));
}

export interface Coverage {
  /** Share of the weight of the question, or of one of several in it, that is held. */
  share: number;
  /** How many of its terms are held. */
  terms: number;
}

/** How much of a question a passage covers; of several questions in one, of that which it covers best. */
export function coverageOf(
  question: Question,
  weights: readonly number[],
  held: readonly number[],
): Coverage {
  let best: Coverage = { share: 0, terms: 0 };
  for (const own of question.asked) {
    const mass = own.reduce((sum, term) => sum + (weights[term] ?? 0), 0);
    const part = own.reduce((sum, term) => sum + (weights[term] ?? 0) * (held[term] ?? 0), 0) / (mass || 1);
    if (part >= best.share) best = { share: part, terms: own.filter((term) => (held[term] ?? 0) > 0).length };
  }
  return best;
}
