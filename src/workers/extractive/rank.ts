import { harmless } from '../printed.ts';
import { coverageOf, heldDegrees } from './bearing.ts';
import { counterOf } from './counts.ts';
import { shareOf } from './kinds.ts';
import { readQuestion } from './question.ts';

/** What is known of a quote once it has left its chunk. */
export interface Quoted {
  quote: string;
  source: string;
  /** What readers noted on it: they name the words that only the headings above it hold. */
  notes: readonly string[];
}

/** What must be covered of a question's weight, by the best quote and by every other. */
const MIN_SCORE = 0.65;
/** Quotes far behind the best are left out, unless they hold what no better one does. */
const MIN_SCORE_SHARE = 0.8;
const MIN_NOVEL_SHARE = 0.5;
/** A longer one holds more words by chance, UTF-16 units. */
const LONG_QUOTE = 320;
/** What a part of the question that no better quote holds is worth. */
const NOVELTY = 1;

/**
 * The quotes that bear best on a question, of many chunks, on one scale: the best first, then those that say as
 * much or say what is missing yet. Empty when none bears on it enough: a shared word is no evidence.
 *
 * @returns each with its score, 0..1: the share of the question's weight that it holds
 */
export function rankQuotes<Q extends Quoted>(
  question: string,
  quotes: readonly Q[],
  limit: number,
): { quote: Q; score: number }[] {
  const read = readQuestion(question);
  const counter = counterOf(read.terms);
  const weights = read.terms.map(({ weight }) => weight);
  const mass = weights.reduce((sum, weight) => sum + weight, 0) || 1;
  const pool = quotes
    .map((quote) => {
      const above = counter(`${quote.source} ${quote.notes.join(' ')}`);
      const held = heldDegrees(counter(harmless(quote.quote)), above);
      const number = read.wantsNumber && /\p{Nd}/u.test(quote.quote) ? 1.05 : 1;
      const brevity = Math.min(1, (LONG_QUOTE / quote.quote.length) ** 0.2);
      const score = coverageOf(read, weights, held).share * shareOf(quote.quote) * brevity;
      return { quote, held, score, number };
    })
    .sort((a, b) => b.score - a.score);
  const best = pool[0]?.score ?? 0;
  if (best < MIN_SCORE) return [];
  const left = pool.filter(({ score }) => score >= best * MIN_NOVEL_SHARE);
  const covered = weights.map(() => 0);
  const chosen: { quote: Q; score: number }[] = [];
  const said = new Set<string>();
  while (chosen.length < limit && left.length > 0) {
    const values = left.map(({ held, score, number }) => {
      const novel = held.reduce(
        (sum, degree, term) => sum + (weights[term] ?? 0) * Math.max(0, degree - (covered[term] ?? 0)),
        0,
      );
      return score * number + (NOVELTY * novel) / mass;
    });
    const at = values.indexOf(Math.max(...values));
    const [next] = left.splice(at, 1);
    if (next === undefined || (values[at] ?? 0) < best * MIN_SCORE_SHARE) break;
    const words = next.quote.quote.replace(/\s+/g, ' ');
    if (said.has(words)) continue;
    said.add(words);
    chosen.push({ quote: next.quote, score: next.score });
    next.held.forEach((degree, term) => {
      covered[term] = Math.max(covered[term] ?? 0, degree);
    });
  }
  return chosen;
}
