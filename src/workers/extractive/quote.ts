import { ANSWER_LIMITS } from '../../contracts/index.ts';
import type { Counter } from './counts.ts';
import type { Term } from './term.ts';
import type { Unit } from './units.ts';

/** Longest quote, UTF-16 units. */
const MAX_QUOTE = ANSWER_LIMITS.quote;
/** Steps in which the best part of a unit that is too long is looked for. */
const STRIDE = MAX_QUOTE / 4;

/** A unit and how well it holds each term of the question. */
export interface Scored {
  unit: Unit;
  degrees: number[];
}

/** A word of the question itself, or one that is as good. */
export const SURE = 0.8;
const LISTED: ReadonlySet<Unit['kind']> = new Set(['item', 'row']);

/** Starts with a word that points back: the sentence before is needed to understand it. */
const POINTS_BACK =
  /^[\s"'(*_>]*(?:it|its|this|that|these|those|they|their|he|she|his|her|such|both|however|therefore|otherwise|instead|then|also|but|and|or|so|which)\b|^\s*(?:它|他|她|这|那|其|これ|それ|その|この)/i;

/** Joins a hit with the neighbours that it needs, or that bear on the question too, up to the longest quote. */
export function extend(text: string, units: readonly Scored[], index: number): Scored[] {
  let from = index;
  let to = index;
  const length = (a: number, b: number) => (units[b]?.unit.end ?? 0) - (units[a]?.unit.start ?? 0);
  const fits = (a: number, b: number) => length(a, b) <= MAX_QUOTE;
  const adjacent = (a: number, b: number) => {
    const [one, two] = [units[a]?.unit, units[b]?.unit];
    return one !== undefined && two !== undefined && two.block - one.block <= 1;
  };
  const sameBlock = (a: number, b: number) => units[a]?.unit.block === units[b]?.unit.block;
  // Items of one list, rows of one table.
  const sameList = (a: number, b: number) => {
    const [one, two] = [units[a]?.unit, units[b]?.unit];
    return (
      one !== undefined &&
      adjacent(a, b) &&
      one.kind === two?.kind &&
      one.heading === two.heading &&
      LISTED.has(one.kind)
    );
  };
  const runsOn = (a: number, b: number) => adjacent(a, b) && (sameBlock(a, b) || sameList(a, b));
  const hits = (a: number) => units[a]?.degrees.some((degree) => degree >= SURE) ?? false;
  const body = (a: number) => text.slice(units[a]?.unit.start, units[a]?.unit.end);
  const together = (a: number, b: number) => {
    const [one, two] = [units[a]?.unit, units[b]?.unit];
    return one !== undefined && one.group !== -1 && one.group === two?.group;
  };
  // What belongs together is quoted together where it fits: a small section, a paragraph.
  for (const whole of [together, sameBlock]) {
    let [first, last] = [index, index];
    while (whole(first - 1, index)) first -= 1;
    while (whole(last + 1, index)) last += 1;
    if (last > first && fits(first, last)) return units.slice(first, last + 1);
  }

  // A heading, a question and an announcement say something with what follows them only.
  while (adjacent(to, to + 1) && fits(from, to + 1) && announces(units[to]?.unit.kind, body(to))) to += 1;
  while (
    runsOn(to, to + 1) &&
    fits(from, to + 1) &&
    (hits(to + 1) || (sameBlock(to, to + 1) && isFragment(body(to + 1))))
  )
    to += 1;
  while (
    runsOn(from - 1, from) &&
    fits(from - 1, to) &&
    (hits(from - 1) ||
      (sameBlock(from - 1, from) && (POINTS_BACK.test(body(from)) || isFragment(body(from)))))
  )
    from -= 1;
  return units.slice(from, to + 1);
}

function announces(kind: Unit['kind'] | undefined, text: string): boolean {
  return kind === 'heading' || /[:?：？]["'”’)*_]*$/.test(text);
}

function isFragment(text: string): boolean {
  return text.length < (/[^\x00-\u02ff]/.test(text) ? 8 : 25);
}

/**
 * The span of a quote: all of the units, or of a single one that is too long the part with the most of the
 * question, cut at word boundaries.
 */
export function shorten(
  text: string,
  terms: readonly Term[],
  span: readonly Scored[],
  counter: Counter,
): { start: number; end: number; cut: boolean } {
  const start = span[0]?.unit.start ?? 0;
  const end = span.at(-1)?.unit.end ?? 0;
  if (end - start <= MAX_QUOTE) return { start, end, cut: false };
  let best = { first: start, last: start, held: -1 };
  for (let at = start; at < end; at += STRIDE) {
    const degrees = counter(text.slice(at, Math.min(end, at + MAX_QUOTE)));
    const held = degrees.reduce((sum, degree, term) => sum + degree * (terms[term]?.weight ?? 0), 0);
    if (held > best.held) best = { first: at, last: at, held };
    else if (held === best.held && at - best.last === STRIDE) best.last = at;
    if (at + MAX_QUOTE >= end) break;
  }
  // The middle one of those that hold as much: what stands around the words says what they are about.
  const middle = best.first + Math.ceil((best.last - best.first) / STRIDE / 2) * STRIDE;
  let from = Math.min(middle, Math.max(start, end - MAX_QUOTE));
  let to = Math.min(end, from + MAX_QUOTE);
  if (from > start) from = nextBoundary(text, from, to);
  if (to < end) to = previousBoundary(text, from, to);
  return { start: from, end: to, cut: true };
}

/** How far a cut may move to end at a word's edge, UTF-16 units. */
const CUT_SLACK = 40;

function nextBoundary(text: string, from: number, to: number): number {
  for (let at = from; at < Math.min(from + CUT_SLACK, to); at += 1) {
    if (/\s/.test(text.charAt(at - 1)) && /\S/.test(text.charAt(at))) return at;
  }
  // A line of links has no spaces; half an identifier would be refused as evidence.
  for (let at = from; at < Math.min(from + CUT_SLACK, to); at += 1) if (!insideWord(text, at)) return at;
  return isLowSurrogate(text, from) ? from + 1 : from;
}

function previousBoundary(text: string, from: number, to: number): number {
  for (let at = to; at > Math.max(to - CUT_SLACK, from); at -= 1) {
    if (/\s/.test(text.charAt(at)) && /\S/.test(text.charAt(at - 1))) return at;
  }
  for (let at = to; at > Math.max(to - CUT_SLACK, from); at -= 1) if (!insideWord(text, at)) return at;
  return isLowSurrogate(text, to) ? to - 1 : to;
}

function insideWord(text: string, at: number): boolean {
  return /^[\p{L}\p{N}\p{M}_\ud800-\udfff]{2}$/u.test(text.slice(at - 1, at + 1)) || isLowSurrogate(text, at);
}

function isLowSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}
