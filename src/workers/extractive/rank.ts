import { oneLine } from '../../text/index.ts';
import { coverageOf, heldDegrees } from './bearing.ts';
import { counterOf } from './counts.ts';
import { beginningOf, facetOrder } from './facets.ts';
import { shareOf } from './kinds.ts';
import { aboveIn } from './notes.ts';
import { type Question, readQuestion } from './question.ts';
import { everyWord, type Rarity } from './rarity.ts';
import type { Term } from './term.ts';

/** What is known of a quote once it has left its chunk. */
export interface Quoted {
  quote: string;
  source: string;
  /** What readers noted on it: they name the words that only the headings above it hold. */
  notes: readonly string[];
}

/** A quote that bears on the question. */
export interface RankedQuote<Q> {
  quote: Q;
  /** The share of the question's weight that it holds, 0..1; its rare words weigh more. */
  score: number;
}

/**
 * How much of the question the surest quote must hold, where a word that stands nowhere else in the documents
 * weighs 1: nearly one such word, or several that are less rare; more where they are but a part of the question.
 * Chosen on the tuning set of bench/recall.ts.
 */
const MIN_WEIGHT = 0.9;
/** A short question is answered by what holds all of it, however common its words are. */
const ALL_HELD = 0.95;
/** The name of a document says where to look. To hold it says little. */
const NAMED_BY_SOURCE = 0.25;
/** What a quote without any number is worth to who asks for one. */
const NO_NUMBER = 0.7;
/** Quotes far behind the best are left out: the more so, the more of the question the best one holds. */
const MIN_SCORE_SHARE = 0.5;
const WHOLE_SCORE = 0.85;
const MIN_SCORE_SHARE_OF_WHOLE = 0.8;
const MIN_WEIGHT_SHARE = 0.4;
/** Words of scripts without spaces are not counted in the documents. */
const UNSPACED_RARITY = 0.7;
/** A longer one holds more words by chance, UTF-16 units. */
const LONG_QUOTE = 320;

const ASKS_NUMBER =
  /\bhow (?:many|much|long|often|old|large|big|far|high|fast)\b|\b(?:which|what) (?:year|port|version|date|number|size)\b|多少|何时|いくつ|いくら|いつ|몇|얼마|언제/i;
/** What the beginning of a quote counts among those that hold as much. */
const BEGINS = 0.1;
const NUMBER =
  /\p{Nd}|[一二三四五六七八九十百千万]|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|hundred|thousand|million|once|twice|half|infinity|unlimited)\b/iu;

/**
 * The quotes that bear best on a question, of many chunks, on one scale, the best first; of a question about
 * several things those that bear best on each. Empty when none bears on it enough: a shared word is no evidence.
 *
 * @param rarity how much the words of the question say in these documents: what counts is how much a quote holds
 *   of those that are rare there
 */
export function rankQuotes<Q extends Quoted>(
  question: string,
  quotes: readonly Q[],
  limit: number,
  rarity: Rarity = everyWord,
): RankedQuote<Q>[] {
  const read = readQuestion(question);
  const pool = quotes.map(judgeOf<Q>(question, rarity)).sort((a, b) => b.score - a.score);
  const best = pool[0]?.score ?? 0;
  const most = Math.max(0, ...pool.slice(0, limit).map(({ weight }) => weight));
  if (most < MIN_WEIGHT && best < ALL_HELD) return [];
  const chosen = new Map<string, Judged<Q>>();
  const take = (one: Judged<Q> | undefined) => {
    if (one === undefined || chosen.size >= limit) return;
    const words = one.quote.quote.replace(/\s+/g, ' ');
    if (!chosen.has(words)) chosen.set(words, one);
  };
  take(pool[0]);
  for (const one of facetOrder(read, pool)) take(one);
  const numbers = read.terms.flatMap((term, index) => (/^\p{Nd}/u.test(term.label) ? index : []));
  // What is said of unit 4 is no answer about unit 3, where something is said of unit 3.
  const numbered = numbers.filter((term) => (pool[0]?.held[term] ?? 0) === 1);
  const floor = best * (best >= WHOLE_SCORE ? MIN_SCORE_SHARE_OF_WHOLE : MIN_SCORE_SHARE);
  for (const one of pool) {
    if (numbered.some((term) => (one.held[term] ?? 0) < 1)) continue;
    if (one.score >= floor && one.weight >= most * MIN_WEIGHT_SHARE) take(one);
  }
  // What begins with the words asked about describes them: it comes before what mentions them as well.
  const worth = ({ sure, begins }: Judged<Q>) => sure * (1 + BEGINS * begins);
  const ordered = [...chosen.values()].sort((a, b) => worth(b) - worth(a));
  return ordered.map(({ quote, sure }) => ({ quote, score: sure }));
}

interface Judged<Q> {
  quote: Q;
  score: number;
  /** The same where the rare words of the question count for more, if that is less. */
  sure: number;
  /** The share of the question that its first words hold. */
  begins: number;
  /** How much of the question is held, in words that stand nowhere else: see `MIN_WEIGHT`. */
  weight: number;
  /** What it shows of what it holds: code and what is long show less. */
  shown: number;
  /** How far each term is held, and by the first words. */
  held: number[];
  first: number[];
}

function judgeOf<Q extends Quoted>(text: string, rarity: Rarity): (quote: Q) => Judged<Q> {
  const question = readQuestion(text);
  const plain = question.counter;
  const rare = counterOf(question.terms, question.prefilter, rarity);
  const weights = question.terms.map(({ weight }) => weight);
  const rarities = question.terms.map((term) => term.weight * rarityOf(term, rarity));
  const asksNumber = ASKS_NUMBER.test(text);
  return (quote) => {
    const own = oneLine(quote.quote);
    const above = `${quote.source} ${aboveIn(quote.notes)}`;
    const named = plain(quote.source);
    const scoped = rarities.map((weight, term) => weight * ((named[term] ?? 0) >= 1 ? NAMED_BY_SOURCE : 1));
    const held = heldDegrees(plain(own), plain(above));
    const heldRare = heldDegrees(rare(own), rare(above));
    const first = plain(beginningOf(own));
    const shown = shareOf(quote.quote) * Math.min(1, (LONG_QUOTE / quote.quote.length) ** 0.2);
    const score = coverageOf(question, weights, held).share * shown;
    const number = asksNumber && !NUMBER.test(quote.quote) ? NO_NUMBER : 1;
    return {
      quote,
      score,
      sure: Math.min(score, coverageOf(question, rarities, heldRare).share * shown),
      begins: coverageOf(question, weights, first).share,
      weight: weightOf(question, scoped, heldRare) * shown * number,
      shown,
      held,
      first,
    };
  };
}

/** What is held, times the root of its share: much of a question, and not by being long. */
function weightOf({ asked }: Question, weights: readonly number[], held: readonly number[]): number {
  const values = asked.map((own) => {
    const all = own.reduce((sum, term) => sum + (weights[term] ?? 0), 0);
    const part = own.reduce((sum, term) => sum + (weights[term] ?? 0) * (held[term] ?? 0), 0);
    return part * Math.sqrt(part / (all || 1));
  });
  return Math.max(0, ...values);
}

function rarityOf({ match }: Term, rarity: Rarity): number {
  return match.kind === 'stem' ? rarity(match.whole, match.parts) : UNSPACED_RARITY;
}
