import { type Counter, counterOf } from './counts.ts';
import { type Question, readQuestion, type Term } from './question.ts';
import { extend, type Scored, shorten } from './quote.ts';
import { type Layout, layoutOf, unitsOf } from './units.ts';

/** The terms that bear on a question must carry more than this share of its weight. */
const MIN_COVERAGE = 0.5;
/** When the term that says most is not among them, they must carry more. */
const MIN_COVERAGE_WITHOUT_HEAD = 0.65;
/** Passages far behind the best are not worth reading. */
const MIN_SCORE_SHARE = 0.45;
/** A heading above a passage counts for its terms, but less than the passage's own words. */
const HEADING_SHARE = 0.6;
/** BM25's own two numbers; length matters little among sentences. */
const K1 = 1.2;
const B = 0.4;

/** Neighbouring units that bear on the question together. */
export interface Passage {
  /** Span in the chunk's text, UTF-16, end exclusive. */
  start: number;
  end: number;
  score: number;
  /** Share of the question's weight it covers, 0..1. */
  coverage: number;
  /** Terms in its own words. */
  matched: Term[];
  /** Terms that only the headings above it, or the document's name, hold. */
  fromHeading: Term[];
}

/** What a chunk holds on a question. */
export interface Reading {
  terms: Term[];
  /** Best first, none overlapping another. */
  passages: Passage[];
  /** Terms that occur nowhere in the chunk. */
  absent: Term[];
  /** Share of the question's weight covered by the best passage, also when it was too little. */
  bestCoverage: number;
}

/** Reads a chunk for a question: deterministic, in one pass, without a model. */
export function readPassages(text: string, questionText: string, source: string, limit: number): Reading {
  const question = readQuestion(questionText);
  const counter = counterOf(question.terms);
  const layout = layoutOf(text, source);
  const { units, total } = scoredUnits(text, question, layout, counter);
  const inherited = headingCounts(text, source, layout, counter);
  const weights = weigh(question, units, total);
  const averageLength = units.reduce((sum, { unit }) => sum + unit.end - unit.start, 0) / (units.length || 1);

  const candidates: Passage[] = [];
  let bestCoverage = 0;
  units.forEach((seed, index) => {
    if (!seed.counts.some((count) => count > 0)) return;
    const span = extend(text, units, index);
    const { start, end, cut } = shorten(text, question.terms, span, counter);
    const counts = cut
      ? counter(text.slice(start, end))
      : question.terms.map((_, term) => span.reduce((sum, one) => sum + (one.counts[term] ?? 0), 0));
    const above = inherited.at(span[0]?.unit.heading ?? -1) ?? [];
    const covered = coverageOf(question, weights, counts, above);
    bestCoverage = Math.max(bestCoverage, covered.share);
    const only = span.every(({ unit }) => unit.kind === 'heading');
    if (!covered.enough || only) return;
    const bm25 = scoreOf(weights, counts, above, end - start, averageLength);
    const number = question.wantsNumber && /\p{Nd}/u.test(text.slice(start, end)) ? 1.2 : 1;
    candidates.push({
      start,
      end,
      score: bm25 * covered.share * number,
      coverage: covered.share,
      matched: question.terms.filter((_, term) => (counts[term] ?? 0) > 0),
      fromHeading: question.terms.filter((_, term) => (counts[term] ?? 0) === 0 && (above[term] ?? 0) > 0),
    });
  });
  return {
    terms: question.terms,
    passages: choose(text, candidates, limit),
    absent: question.terms.filter((_, term) => !units.some(({ counts }) => (counts[term] ?? 0) > 0)),
    bestCoverage,
  };
}

/** Units in and around blocks with a hit. Blocks without one are counted, and kept for joining only next to a hit. */
function scoredUnits(
  text: string,
  question: Question,
  layout: Layout,
  counter: Counter,
): { units: Scored[]; total: number } {
  const none = question.terms.map(() => 0);
  const mayHold = (piece: string) => question.prefilter?.test(piece) ?? true;
  const hit = layout.blocks.map(({ start, end }) => mayHold(text.slice(start, end)));
  const units: Scored[] = [];
  let total = 0;
  layout.blocks.forEach((block, index) => {
    if (!hit[index] && !hit[index - 1] && !hit[index + 1]) {
      total += Math.max(1, Math.round((block.end - block.start) / 120));
      return;
    }
    for (const unit of unitsOf(text, block, index)) {
      total += 1;
      const body = text.slice(unit.start, unit.end);
      units.push({ unit, counts: hit[index] && mayHold(body) ? counter(body) : none });
    }
  });
  return { units, total };
}

/** For each heading the terms in it, in those above it, and in the name of the document; the last one is of none. */
function headingCounts(text: string, source: string, layout: Layout, counter: Counter): number[][] {
  const fromSource = counter(source.split(/[\\/]/).slice(-2).join(' '));
  const all: number[][] = [];
  for (const { start, end, above } of layout.headings) {
    const outer = all[above] ?? fromSource;
    all.push(counter(text.slice(start, end)).map((count, term) => Math.max(count, outer[term] ?? 0)));
  }
  return [...all, fromSource];
}

/** A term's weight: what it says by itself, and how rare it is here. One that is absent is the rarest. */
function weigh(question: Question, units: readonly Scored[], total: number): number[] {
  const most = Math.log(1 + (total + 0.5) / 0.5);
  return question.terms.map(({ weight }, term) => {
    const holding = units.filter(({ counts }) => (counts[term] ?? 0) > 0).length;
    const idf = Math.log(1 + Math.max(0, total - holding + 0.5) / (holding + 0.5));
    return weight * (0.5 + 0.5 * (idf / most));
  });
}

/** Whether a passage bears on one of the questions asked, and how much of it it covers. */
function coverageOf(
  question: Question,
  weights: readonly number[],
  counts: readonly number[],
  inherited: readonly number[],
): { share: number; enough: boolean } {
  let share = 0;
  let enough = false;
  for (const own of question.asked) {
    const mass = own.reduce((sum, term) => sum + (weights[term] ?? 0), 0);
    const degree = (term: number) =>
      Math.max(Math.min(1, counts[term] ?? 0), HEADING_SHARE * Math.min(1, inherited[term] ?? 0));
    const part = own.reduce((sum, term) => sum + (weights[term] ?? 0) * degree(term), 0) / (mass || 1);
    const head = own.reduce((a, b) => ((weights[b] ?? 0) > (weights[a] ?? 0) ? b : a));
    share = Math.max(share, part);
    enough ||= part > (degree(head) > 0 ? MIN_COVERAGE : MIN_COVERAGE_WITHOUT_HEAD);
  }
  return { share, enough };
}

function scoreOf(
  weights: readonly number[],
  counts: readonly number[],
  inherited: readonly number[],
  length: number,
  averageLength: number,
): number {
  return weights.reduce((sum, weight, term) => {
    const count = (counts[term] ?? 0) || HEADING_SHARE * Math.min(1, inherited[term] ?? 0);
    const norm = K1 * (1 - B + B * (length / (averageLength || 1)));
    return sum + (weight * count * (K1 + 1)) / (count + norm);
  }, 0);
}

/** The best passages, none of which overlaps a better one or says the same words again. */
function choose(text: string, candidates: Passage[], limit: number): Passage[] {
  const sorted = candidates.sort((a, b) => b.score - a.score || a.start - b.start);
  const floor = (sorted[0]?.score ?? 0) * MIN_SCORE_SHARE;
  const chosen: Passage[] = [];
  const said = new Set<string>();
  for (const passage of sorted) {
    if (chosen.length >= limit || passage.score < floor) break;
    const words = text.slice(passage.start, passage.end).replace(/\s+/g, ' ');
    if (said.has(words)) continue;
    if (chosen.some((one) => passage.start < one.end && one.start < passage.end)) continue;
    said.add(words);
    chosen.push(passage);
  }
  return chosen;
}
