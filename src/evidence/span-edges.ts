import { NEGATIONS } from './critical-words.ts';

/** Where a quote was found, as UTF-16 indexes into the text. */
export interface TextSpan {
  start: number;
  end: number;
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
export function widenToWords(text: string, span: TextSpan): TextSpan {
  let { start, end } = span;
  const floor = Math.max(0, start - MAX_WORD);
  const ceiling = Math.min(text.length, end + MAX_WORD);
  while (start > floor && joins(text, start)) start = before(text, start);
  while (end < ceiling && joins(text, end)) end = after(text, end);
  if (start > 0 && DIGIT.test(text.charAt(start)) && DASH.test(text.charAt(start - 1))) {
    if (start === 1 || /[\s(=[]/.test(text.charAt(start - 2))) start -= 1;
  }
  return { start, end };
}

/** Takes in a negation that stands right before the span: `use eval` of `do not use eval` says the reverse. */
export function includeNegation(text: string, span: TextSpan): TextSpan {
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
