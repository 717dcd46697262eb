import { coverageOf, heldDegrees } from './bearing.ts';
import type { Counter } from './counts.ts';
import { beginningOf, facetOrder } from './facets.ts';
import { shareOf } from './kinds.ts';
import { type Question, readQuestion } from './question.ts';
import { extend, type Scored, SURE, shorten } from './quote.ts';
import type { Term } from './term.ts';
import { type Layout, layoutOf, type Unit, unitsOf } from './units.ts';

/** What a passage must cover of a question's weight to be worth a look beside those of other chunks. */
const MIN_COVERAGE = 0.3;
/** A single term of several must be most of the question: a mere shared word is no evidence. */
const MIN_COVERAGE_OF_ONE = 0.6;
/** Passages far behind the best are not worth reading. */
const MIN_SCORE_SHARE = 0.5;
/** Neighbouring units that bear on the question together. */
export interface Passage {
  /** Span in the chunk's text, UTF-16, end exclusive. */
  start: number;
  end: number;
  /** How well it bears on the question, 0..1; comparable between chunks. */
  score: number;
  /** Terms that it holds, and those for which it has a word of like meaning. */
  matched: Term[];
  like: Term[];
  /** Terms that only the headings above it, or the document's name, hold. */
  fromHeading: Term[];
}

/** A passage that may be worth a look. */
interface Candidate {
  start: number;
  end: number;
  score: number;
  /** What it shows of what it holds. */
  shown: number;
  /** How far each term is held: with the headings, by the first words, by its own words, by the headings. */
  held: number[];
  first: readonly number[];
  own: readonly number[];
  above: readonly number[];
}

/** What a chunk holds on a question. */
export interface Reading {
  terms: Term[];
  /** Best first, none overlapping another. */
  passages: Passage[];
  /** Terms that occur nowhere in the chunk. */
  absent: Term[];
  /** Score of the best passage, also when it was too little. */
  best: number;
}

/** Reads a chunk for a question: deterministic, in one pass, without a model. */
export function readPassages(text: string, questionText: string, source: string, limit: number): Reading {
  const question = readQuestion(questionText);
  const { counter } = question;
  const layout = layoutOf(text, source);
  const units = scoredUnits(text, question, layout, counter);
  const inherited = headingDegrees(text, source, layout, counter);
  const weights = question.terms.map(({ weight }) => weight);
  const named = (unit: Unit) =>
    unit.heading !== -1 &&
    (inherited[unit.heading] ?? []).some((degree, term) => degree === 1 && (fromSource[term] ?? 0) < 1);
  const bears = ({ unit, degrees }: Scored) =>
    degrees.some((degree) => degree > 0) || (unit.kind === 'sentence' && named(unit));
  const fromSource = inherited.at(-1) ?? [];
  const candidates: Candidate[] = [];
  const considered = new Set<number>();
  let best = 0;
  const consider = (span: Scored[]) => {
    if (span.every(({ unit }) => unit.kind === 'heading')) return;
    const { start, end, cut } = shorten(text, question.terms, span, counter);
    // The sentences of a paragraph lead to the same passage.
    const place = start * (text.length + 1) + end;
    if (considered.has(place)) return;
    considered.add(place);
    const own = cut
      ? counter(text.slice(start, end))
      : question.terms.map((_, term) => Math.max(...span.map((one) => one.degrees[term] ?? 0)));
    const above = inherited.at(span.at(-1)?.unit.heading ?? -1) ?? [];
    const held = heldDegrees(own, above);
    const covered = coverageOf(question, weights, held);
    const quote = text.slice(start, end);
    const shown = shareOf(quote);
    const score = covered.share * shown;
    best = Math.max(best, score);
    if (covered.share <= (covered.terms > 1 ? MIN_COVERAGE : MIN_COVERAGE_OF_ONE)) return;
    const first = question.facets.length === 0 ? own : counter(beginningOf(quote));
    candidates.push({ start, end, score, shown, held, first, own, above });
  };
  units.forEach((seed, index) => {
    if (!bears(seed)) return;
    const span = extend(text, units, index);
    consider(span);
    // Beside a better passage that it would overlap with its neighbours, it may still stand by itself.
    if (span.length > 1) consider([seed]);
  });
  return {
    terms: question.terms,
    passages: choose(text, candidates, question, limit).map((one) => passageOf(one, question.terms)),
    absent: question.terms.filter((_, term) => !units.some(({ degrees }) => (degrees[term] ?? 0) > 0)),
    best,
  };
}

function passageOf({ start, end, score, own, above }: Candidate, terms: readonly Term[]): Passage {
  const holds = (degrees: readonly number[], term: number) => (degrees[term] ?? 0) >= SURE;
  return {
    start,
    end,
    score,
    matched: terms.filter((_, term) => holds(own, term)),
    like: terms.filter((_, term) => (own[term] ?? 0) > 0 && !holds(own, term)),
    fromHeading: terms.filter((_, term) => !holds(own, term) && holds(above, term)),
  };
}

/** Units in and around blocks with a hit; blocks without one are kept for joining only, next to a hit. */
function scoredUnits(text: string, question: Question, layout: Layout, counter: Counter): Scored[] {
  const none = question.terms.map(() => 0);
  const mayHold = (piece: string) => question.prefilter?.test(piece) ?? true;
  const { blocks } = layout;
  const hit = blocks.map(({ start, end }) => mayHold(text.slice(start, end)));
  const groups = new Set(blocks.filter((_, index) => hit[index]).map(({ group }) => group));
  const units: Scored[] = [];
  blocks.forEach((block, index) => {
    const joined = block.group !== -1 && groups.has(block.group);
    if (!hit[index] && !hit[index - 1] && !hit[index + 1] && !joined) return;
    for (const unit of unitsOf(text, block, index)) {
      const body = text.slice(unit.start, unit.end);
      units.push({ unit, degrees: hit[index] ? counter(body) : none });
    }
  });
  return units;
}

/** For each heading the terms in it, in those above it, and in the name of the document; the last one is of none. */
function headingDegrees(text: string, source: string, layout: Layout, counter: Counter): number[][] {
  const fromSource = counter(source.split(/[\\/]/).join(' '));
  const all: number[][] = [];
  for (const { start, end, above } of layout.headings) {
    const outer = all[above] ?? fromSource;
    all.push(counter(text.slice(start, end)).map((degree, term) => Math.max(degree, outer[term] ?? 0)));
  }
  return [...all, fromSource];
}

/** The best passages, none of which overlaps a better one or says the same words again. */
function choose(text: string, candidates: Candidate[], question: Question, limit: number): Candidate[] {
  const number = (one: Candidate) =>
    question.wantsNumber && /\p{Nd}/u.test(text.slice(one.start, one.end)) ? 1.1 : 1;
  const sorted = candidates
    .map((passage) => ({ passage, rank: passage.score * number(passage) }))
    .sort((a, b) => b.rank - a.rank || a.passage.start - b.passage.start);
  const floor = (sorted[0]?.rank ?? 0) * MIN_SCORE_SHARE;
  const chosen: Candidate[] = [];
  const said = new Set<string>();
  const take = (passage: Candidate) => {
    const words = text.slice(passage.start, passage.end).replace(/\s+/g, ' ');
    if (chosen.length >= limit || said.has(words)) return;
    if (chosen.some((one) => passage.start < one.end && one.start < passage.end)) return;
    said.add(words);
    chosen.push(passage);
  };
  for (const passage of facetOrder(question, candidates)) take(passage);
  for (const { passage, rank } of sorted) if (rank >= floor) take(passage);
  return chosen.sort((a, b) => b.score - a.score || a.start - b.start);
}
