import { ANSWER_LIMITS } from '../../contracts/index.ts';
import { sha256 } from '../../text/index.ts';
import { NEGATIONS } from './critical-words.ts';
import { changedBetween, nearMatches, type TextSpan, type WordChange } from './near-match.ts';
import { normaliseText } from './normalise.ts';
import { SourceText } from './source-text.ts';

/** How a quote was found: word for word; up to typography and case; or with a few letters edited. */
export type QuoteMatch = 'exact' | 'normalised' | 'fuzzy';

/** Why a quote is not evidence: nothing in it, not there, or there with something that counts changed. */
type MissingReason = 'empty' | 'not_found' | WordChange;

/** A quote's place in its source. Bytes count from the start of the source, end exclusive; lines from 1. */
export interface LocatedSpan {
  byte_start: number;
  byte_end: number;
  line_start: number;
  line_end: number;
  /** SHA-256 of exactly these bytes, hex. */
  sha256: string;
  /** The source's own words: what the span says, whatever the worker wrote. */
  quote: string;
}

export type QuoteLocation =
  /** More than one span when a quote with an ellipsis joins parts that are far apart. */
  { match: QuoteMatch; edits: number; spans: LocatedSpan[] } | { match: 'missing'; reason: MissingReason };

export interface LocateOptions {
  /** The lines that the worker named: of several places the nearest is taken. */
  near?: { line_start: number; line_end: number } | undefined;
  /** Look for the words as they are only, with any white space between them: fast in a text of megabytes. */
  quick?: boolean;
}

/** Parts of a quote with an ellipsis that end up in one span, at most, in characters from first to last. */
const MAX_JOINED = 600;
const MAX_PARTS = 4;
/** A part shorter than this proves nothing about what the ellipsis replaces. */
const MIN_PART = 8;
/** Places of a quote that are looked at; "the" has more. */
const MAX_PLACES = 256;
/** A longer quote makes too large a regular expression, in characters. */
const MAX_SPACED = 2000;
/** Near matches whose words are compared, at most. */
const MAX_JUDGED = 4;
const ELLIPSIS = /\s*(?:[[(]\s*(?:\.{3,}|…)\s*[\])]|\.{3,}|…|\. \. \.)\s*/u;
/** A letter, a digit or a symbol such as an emoji: punctuation alone is no quote. */
const SAYS_SOMETHING = /[\p{L}\p{N}\p{Extended_Pictographic}]/u;

/**
 * Finds a quote in a text: as it is; else up to white space, quotation marks, dashes, hyphenation and case;
 * else with at most a tenth of its characters edited, and then no number, negation, identifier or other word
 * changed. A quote that is not in the source is never cited.
 *
 * The span found covers whole words and numbers, and a negation right before it: never `5 users` of
 * `15 users`. A quote with an ellipsis is looked for in parts, in order.
 *
 * @param text a chunk, prepared once with `new SourceText(bytes, span)` when several quotes are looked for
 */
export function locateQuote(
  text: SourceText | Uint8Array | string,
  quote: string,
  options: LocateOptions = {},
): QuoteLocation {
  const source = text instanceof SourceText ? text : new SourceText(text);
  const near = nearIndex(source, options);
  // A lone surrogate, left by somebody who cut a string, is in no text.
  const wanted = trimEdges(quote.replace(/\p{Cs}/gu, ''));
  if (!SAYS_SOMETHING.test(wanted)) return { match: 'missing', reason: 'empty' };
  const whole =
    options.quick === true ? findVerbatim(source, wanted, near, 0) : findPart(source, wanted, near, 0);
  if ('start' in whole) return located(source, [whole]);
  if (options.quick === true) return { match: 'missing', reason: whole.reason };
  const parts = wanted.split(ELLIPSIS).filter((part) => part !== '');
  const inParts = parts.length > 1 || parts[0] !== wanted ? findParts(source, parts, near) : whole;
  if ('found' in inParts) return located(source, inParts.found);
  const uncut = quote.length >= ANSWER_LIMITS.quote ? findUncut(source, wanted, near) : undefined;
  return uncut === undefined ? { match: 'missing', reason: inParts.reason } : located(source, [uncut]);
}

interface Found extends TextSpan {
  match: QuoteMatch;
  edits: number;
}

interface NotFound {
  reason: MissingReason;
}

function trimEdges(quote: string): string {
  return quote.replace(/^[\s\u0000-\u001f\ufeff\ufffd]+|[\s\u0000-\u001f\ufeff\ufffd]+$/gu, '');
}

function nearIndex(source: SourceText, options: LocateOptions): TextSpan {
  if (options.near === undefined) return { start: 0, end: 0 };
  const start = source.indexOfLine(options.near.line_start);
  const lines = Math.min(10_000, Math.max(0, options.near.line_end - options.near.line_start));
  return { start, end: source.indexOfLine(options.near.line_start + lines + 1) };
}

/** Word for word, else up to white space. */
function findVerbatim(source: SourceText, quote: string, near: TextSpan, from: number): Found | NotFound {
  const exact = accept(source, quote, exactPlaces(source.text, quote, from), near, 'exact');
  if (exact !== undefined && 'start' in exact) return exact;
  const spaced = accept(source, quote, spacedPlaces(source.text, quote, from), near, 'normalised');
  return spaced !== undefined && 'start' in spaced ? spaced : (exact ?? spaced ?? { reason: 'not_found' });
}

/** Verbatim, else up to typography, to words that a line's end broke, else nearly. */
function findPart(source: SourceText, quote: string, near: TextSpan, from: number): Found | NotFound {
  const accepted = (places: Place[], match: QuoteMatch) => accept(source, quote, places, near, match);
  // Most quotes differ by their line breaks at most: no need to normalise the text for those.
  const verbatim = findVerbatim(source, quote, near, from);
  if ('start' in verbatim) return verbatim;
  const wanted = normaliseText(quote, false).text.trim();
  if (wanted === '') return { reason: 'empty' };
  const normalised = accepted(normalisedPlaces(source, wanted, from, false), 'normalised');
  if (normalised !== undefined && 'start' in normalised) return normalised;
  const joined = source.hyphenated
    ? accepted(normalisedPlaces(source, wanted, from, true), 'normalised')
    : undefined;
  if (joined !== undefined && 'start' in joined) return joined;
  const fuzzy = findNear(source, quote, wanted, near, from);
  if ('start' in fuzzy) return fuzzy;
  return verbatim.reason === 'not_found' ? (normalised ?? joined ?? fuzzy) : verbatim;
}

/** Where a quote may be, in the source's text. */
interface Place extends TextSpan {
  edits: number;
}

function exactPlaces(text: string, quote: string, from: number): Place[] {
  const places: Place[] = [];
  for (let at = text.indexOf(quote, from); at !== -1; at = text.indexOf(quote, at + 1)) {
    places.push({ start: at, end: at + quote.length, edits: 0 });
    if (places.length >= MAX_PLACES) break;
  }
  return places;
}

/** Where the words follow each other with any white space between them. */
function spacedPlaces(text: string, quote: string, from: number): Place[] {
  if (quote.length > MAX_SPACED) return [];
  const words = quote.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
  if (words.length === 1) return [];
  // Literals joined by white space only: linear, whatever the quote holds.
  const pattern = new RegExp(words.join('\\s+'), 'gu');
  pattern.lastIndex = from;
  const places: Place[] = [];
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    places.push({ start: match.index, end: match.index + match[0].length, edits: 0 });
    if (places.length >= MAX_PLACES) break;
  }
  return places;
}

function normalisedPlaces(source: SourceText, wanted: string, from: number, joined: boolean): Place[] {
  const { text, starts, ends } = source.normalised(joined);
  const places: Place[] = [];
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) {
    const start = starts[at] ?? 0;
    if (start < from) continue;
    places.push({ start, end: ends[at + wanted.length - 1] ?? 0, edits: 0 });
    if (places.length >= MAX_PLACES) break;
  }
  return places;
}

/** The nearest place that keeps the quote's words when its edges are moved out to whole words. */
function accept(
  source: SourceText,
  quote: string,
  places: Place[],
  near: TextSpan,
  match: QuoteMatch,
): Found | NotFound | undefined {
  let refused: NotFound | undefined;
  const byDistance = places
    .map((place) => ({ place, wide: widenToWords(source.text, place), distance: distance(place, near) }))
    .sort((a, b) => a.place.edits - b.place.edits || a.distance - b.distance);
  const whole = byDistance.find(({ place, wide }) => place.start === wide.start && place.end === wide.end);
  if (whole !== undefined && match !== 'fuzzy')
    return { ...includeNegation(source.text, whole.wide), match, edits: 0 };
  for (const { place, wide } of byDistance.slice(0, MAX_JUDGED)) {
    const reason = changedBetween(quote, source.text.slice(wide.start, wide.end));
    if (reason === undefined) return { ...includeNegation(source.text, wide), match, edits: place.edits };
    refused ??= { reason };
  }
  return refused;
}

function distance(place: TextSpan, near: TextSpan): number {
  if (place.start >= near.end) return place.start - near.end + 1;
  return place.end <= near.start ? near.start - place.end + 1 : 0;
}

function findNear(
  source: SourceText,
  quote: string,
  wanted: string,
  near: TextSpan,
  from: number,
): Found | NotFound {
  for (const joined of source.hyphenated ? [false, true] : [false]) {
    const { text, starts, ends } = source.normalised(joined);
    const places: Place[] = [];
    for (const match of nearMatches(text, wanted).slice(0, MAX_PLACES)) {
      const start = starts[match.start] ?? 0;
      const end = ends[match.end - 1] ?? 0;
      if (start >= from && end > start)
        places.push({ ...trimSpan(source.text, { start, end }), edits: match.edits });
    }
    const found = accept(source, quote, places, near, 'fuzzy');
    if (found !== undefined) return found;
  }
  return { reason: 'not_found' };
}

function trimSpan(text: string, span: TextSpan): TextSpan {
  let { start, end } = span;
  while (start < end && /\s/.test(text.charAt(start))) start += 1;
  while (end > start && /\s/.test(text.charAt(end - 1))) end -= 1;
  return { start, end };
}

/** The parts around ellipses, each behind the one before it: one span when they are near, else several. */
function findParts(source: SourceText, parts: string[], near: TextSpan): { found: Found[] } | NotFound {
  if (parts.length > MAX_PARTS || parts.length === 0) return { reason: 'not_found' };
  const found: Found[] = [];
  for (const part of parts) {
    if (part.length < MIN_PART && parts.length > 1) return { reason: 'not_found' };
    const last = found.at(-1);
    const around = last === undefined ? near : { start: last.end, end: last.end };
    const place = findPart(source, part, around, last?.end ?? 0);
    if (!('start' in place)) return place;
    found.push(place);
  }
  const [first, last] = [found[0], found.at(-1)];
  if (first === undefined || last === undefined) return { reason: 'not_found' };
  if (found.length === 1 || last.end - first.start > MAX_JOINED) return { found };
  return { found: [{ start: first.start, end: last.end, ...weakest(found) }] };
}

/** A quote at its size limit was most likely cut: its last word may be half of the source's. */
function findUncut(source: SourceText, quote: string, near: TextSpan): Found | undefined {
  const tail = /\s+(\S{1,64})$/u.exec(quote);
  if (tail === null) return undefined;
  const found = findPart(source, quote.slice(0, tail.index), near, 0);
  if (!('start' in found)) return undefined;
  const next = normaliseText(source.text.slice(found.end, found.end + 200), false).text.trim();
  return next.startsWith(normaliseText(tail[1] ?? '', false).text.trim()) ? found : undefined;
}

function weakest(found: Found[]): { match: QuoteMatch; edits: number } {
  const kinds = found.map((part) => part.match);
  const match = kinds.includes('fuzzy') ? 'fuzzy' : kinds.includes('normalised') ? 'normalised' : 'exact';
  return { match, edits: found.reduce((sum, part) => sum + part.edits, 0) };
}

function located(source: SourceText, found: Found[]): QuoteLocation {
  return { ...weakest(found), spans: found.map((span) => spanOf(source, span)) };
}

export function spanOf(source: SourceText, { start, end }: TextSpan): LocatedSpan {
  const [from, to] = [source.byteAt(start), source.byteAt(end)];
  const offset = source.span.byte_start;
  return {
    byte_start: offset + from,
    byte_end: offset + to,
    line_start: source.lineAt(from),
    // The last byte counts: a span that ends behind a newline does not reach into the next line.
    line_end: source.lineAt(Math.max(from, to - 1)),
    sha256: sha256(source.bytes.subarray(from, to)),
    quote: source.text.slice(start, end),
  };
}

/** Letters, digits and marks of scripts that put spaces between words. */
const WORD =
  /^(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}])[\p{L}\p{N}\p{M}_]$/u;
const CJK_NUMERAL = /^[〇零一二两兩三四五六七八九十百千万萬亿億兆]$/u;
const DIGIT = /^\p{Nd}$/u;
const NUMBER_JOINT = /^[.,:/'’]$/u;
const DASH = /^[-‐–−－]$/u;
/** A word longer than this is no word. */
const MAX_WORD = 64;
const NEGATION_BEFORE = /(?<![\p{L}\p{N}_])([\p{L}'’]+)(?:[ \t]*\n?[ \t]*|-)$/u;
const CJK_NEGATION_BEFORE = /[不没沒無无非未勿莫]$/u;

/**
 * Moves the edges of a span out to where its first and last word or number really begin and end, so that
 * `5 users` is not cut from `15 users`, nor `500` from `-1,500`.
 */
function widenToWords(text: string, span: TextSpan): TextSpan {
  let { start, end } = span;
  const lowest = Math.max(0, start - MAX_WORD);
  const highest = Math.min(text.length, end + MAX_WORD);
  while (start > lowest && joins(text, start)) start = before(text, start);
  while (end < highest && joins(text, end)) end = after(text, end);
  if (start > 0 && DIGIT.test(text.charAt(start)) && DASH.test(text.charAt(start - 1))) {
    if (start === 1 || /[\s(=[]/.test(text.charAt(start - 2))) start -= 1;
  }
  return { start, end };
}

/** Takes in a negation right before the span: `use eval` of `do not use eval` says the reverse. */
function includeNegation(text: string, span: TextSpan): TextSpan {
  const head = text.slice(Math.max(0, span.start - MAX_WORD), span.start);
  if (CJK_NEGATION_BEFORE.test(head)) return { start: span.start - 1, end: span.end };
  const word = NEGATION_BEFORE.exec(head);
  const folded = word?.[1]?.replace('’', "'").toLowerCase();
  if (word === null || folded === undefined) return span;
  if (!NEGATIONS.has(folded) && !folded.endsWith("n't")) return span;
  return { start: span.start - (head.length - word.index), end: span.end };
}

/** Whether the characters on both sides of an index belong to one word or number. */
function joins(text: string, index: number): boolean {
  const left = text.slice(before(text, index), index);
  const right = text.slice(index, after(text, index));
  if (WORD.test(left) && WORD.test(right)) return true;
  if (CJK_NUMERAL.test(left) && CJK_NUMERAL.test(right)) return true;
  const [beyondLeft, beyondRight] = [text.charAt(index - 2), text.charAt(index + 1)];
  return (
    (DIGIT.test(left) && NUMBER_JOINT.test(right) && DIGIT.test(beyondRight)) ||
    (NUMBER_JOINT.test(left) && DIGIT.test(right) && DIGIT.test(beyondLeft))
  );
}

function before(text: string, index: number): number {
  const low = text.charCodeAt(index - 1);
  return low >= 0xdc00 && low < 0xe000 && index > 1 ? index - 2 : Math.max(0, index - 1);
}

function after(text: string, index: number): number {
  return Math.min(text.length, index + ((text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1));
}
