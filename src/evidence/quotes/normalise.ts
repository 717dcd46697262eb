import { endOfTerminalSequence } from '../../text/index.ts';

/** A text with its differences of typography taken out, and the way back. */
export interface NormalisedText {
  text: string;
  /** For each UTF-16 unit of `text`: where the character it came from starts and ends in the original. */
  starts: Uint32Array;
  ends: Uint32Array;
}

const SPACE = 0x20;
const HYPHEN = 0x2d;
const QUOTE = 0x27;
const SOFT_HYPHEN = '\u00ad';
const LETTER = /^\p{L}/u;
const MARK = /^\p{M}/u;
/** Superscripts, fractions, circled digits: NFKC would turn 10² into 102. */
const NUMBER_FORM = /^\p{No}/u;
const WHITE = /^[\s\u0085]/u;
/** Soft hyphen, zero-width characters, the byte order mark and directional marks say nothing a reader sees. */
const INVISIBLE =
  /^(?:[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}\p{Cc}]|\p{Variation_Selector})/u;
const QUOTES = /^["'`´‘’‚‛“”„‟‹›«»′″‵‶＂＇]/u;
const DASHES = /^[-‐‑‒–—―−﹘﹣－]/u;

/** What each plain ASCII character becomes; 0 for those that need a closer look: space, control, quotes, hyphen. */
const ASCII = Uint16Array.from({ length: 0x80 }, (_, unit) => {
  const character = String.fromCharCode(unit);
  if (unit <= SPACE || unit === 0x7f || unit === HYPHEN || QUOTES.test(character)) return 0;
  return character.toLowerCase().charCodeAt(0);
});

/**
 * Makes texts comparable that differ in typography only: runs of white space are one space; quotation marks,
 * and dashes, are one character each; case and compatibility forms (NFKC) are folded; terminal sequences,
 * invisible and control characters vanish; a line break after a hyphen between letters vanishes.
 *
 * @param joined whether such a hyphen at a line's end vanishes too (`exam-\nple` becomes `example`)
 */
export function normaliseText(original: string, joined: boolean): NormalisedText {
  const out = new Output(original.length + 16);
  for (let index = 0; index < original.length; ) {
    const unit = original.charCodeAt(index);
    const end = index + 1;
    // A combining mark may follow any character; those start at U+0300.
    const alone = end >= original.length || original.charCodeAt(end) < 0x300;
    const folded = unit < 0x80 ? (ASCII[unit] ?? 0) : 0;
    if (folded !== 0 && alone) {
      out.push(folded, index, end);
      index = end;
    } else if (isWhite(original, index)) index = whiteSpace(original, index, out);
    else index = other(original, index, joined, out);
  }
  return out.finish();
}

function isWhite(original: string, index: number): boolean {
  const unit = original.charCodeAt(index);
  if (unit > SPACE && unit < 0x80) return false;
  return unit === SPACE || WHITE.test(original.charAt(index));
}

function whiteSpace(original: string, start: number, out: Output): number {
  let index = start;
  // Invisible characters inside a run belong to it, or they would make two spaces of one.
  while (index < original.length) {
    if (original.charCodeAt(index) > SPACE && original.charCodeAt(index) < 0x7f) break;
    if (!isWhite(original, index) && !INVISIBLE.test(original.charAt(index))) break;
    index = Math.max(index + 1, endOfTerminalSequence(original, index));
  }
  if (out.last !== SPACE) out.push(SPACE, start, index);
  return index;
}

function other(original: string, index: number, joined: boolean, out: Output): number {
  const character = String.fromCodePoint(original.codePointAt(index) ?? 0);
  const end = index + character.length;
  if (character === SOFT_HYPHEN) return afterSoftHyphen(original, end);
  if (INVISIBLE.test(character)) return Math.max(end, endOfTerminalSequence(original, index));
  if (QUOTES.test(character)) {
    out.push(QUOTE, index, end);
    return end;
  }
  if (DASHES.test(character)) return dash(original, index, end, joined, out);
  return cluster(original, index, end, character, out);
}

/** A soft hyphen vanishes, and so does the line break that it allowed. */
function afterSoftHyphen(original: string, end: number): number {
  let next = end;
  while (next < original.length && WHITE.test(original.charAt(next))) next += 1;
  return original.slice(end, next).includes('\n') ? next : end;
}

/** A hyphen; with the white space behind it when it stands between letters, as at the end of a line. */
function dash(original: string, index: number, end: number, joined: boolean, out: Output): number {
  let next = end;
  while (next < original.length && WHITE.test(original.charAt(next))) next += 1;
  const broken = next > end && LETTER.test(original.slice(next, next + 2)) && out.endsInLetter;
  if (!broken) {
    out.push(HYPHEN, index, end);
    return end;
  }
  const lineEnd = original.slice(end, next).includes('\n');
  if (!(joined && lineEnd)) out.push(HYPHEN, index, next);
  return next;
}

/** One character with its combining marks, folded as a whole: every unit of the result maps to all of it. */
function cluster(original: string, index: number, from: number, character: string, out: Output): number {
  let end = from;
  while (end < original.length && MARK.test(original.slice(end, end + 2)))
    end += (original.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  const whole = original.slice(index, end);
  const folded = (NUMBER_FORM.test(character) ? whole : whole.normalize('NFKC')).toLowerCase();
  for (let at = 0; at < folded.length; at += 1) out.push(folded.charCodeAt(at), index, end);
  return end;
}

/** Growing arrays of units and their origins. */
class Output {
  #units: Uint16Array;
  #starts: Uint32Array;
  #ends: Uint32Array;
  #length = 0;

  constructor(capacity: number) {
    this.#units = new Uint16Array(capacity);
    this.#starts = new Uint32Array(capacity);
    this.#ends = new Uint32Array(capacity);
  }

  get last(): number | undefined {
    return this.#length === 0 ? undefined : this.#units[this.#length - 1];
  }

  get endsInLetter(): boolean {
    return this.last !== undefined && LETTER.test(String.fromCharCode(this.last));
  }

  push(unit: number, start: number, end: number): void {
    if (this.#length === this.#units.length) this.#grow();
    this.#units[this.#length] = unit;
    this.#starts[this.#length] = start;
    this.#ends[this.#length] = end;
    this.#length += 1;
  }

  #grow(): void {
    const capacity = this.#units.length * 2;
    const units = new Uint16Array(capacity);
    const starts = new Uint32Array(capacity);
    const ends = new Uint32Array(capacity);
    units.set(this.#units);
    starts.set(this.#starts);
    ends.set(this.#ends);
    this.#units = units;
    this.#starts = starts;
    this.#ends = ends;
  }

  finish(): NormalisedText {
    const units = this.#units.subarray(0, this.#length);
    // One byte a character where that suffices: searching such a string takes half the time.
    const narrow = units.every((unit) => unit < 0x100);
    return {
      text: narrow
        ? Buffer.from(units).toString('latin1')
        : Buffer.from(units.buffer, units.byteOffset, units.byteLength).toString('utf16le'),
      starts: this.#starts.subarray(0, this.#length),
      ends: this.#ends.subarray(0, this.#length),
    };
  }
}
