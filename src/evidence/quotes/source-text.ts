import { type NormalisedText, normaliseText } from './normalise.ts';

/** Reads the text of a source in bytes, whatever holds it: the document itself, or what was extracted from it. */
export interface SourceReader {
  /** The bytes from `byteStart` up to `byteEnd` (exclusive; fewer when the source is shorter). Throws when it is gone. */
  read(source: string, byteStart: number, byteEnd: number): Uint8Array;
}

/** A stretch of a source that quotes are looked for in, and where it starts in that source. */
export interface SourceSpan {
  byte_start: number;
  /** The line of the first byte, from 1. */
  line_start: number;
}

const NEWLINE = 0x0a;
/** Between two remembered byte offsets, in UTF-16 units. */
const CHECKPOINT_UNITS = 4096;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Bytes of a source as text that knows the byte offset of each character. A sequence of bytes that is not
 * UTF-8 becomes one U+FFFD, and the offsets after it stay right. Normalised forms are made once and kept, so that
 * many quotes in one chunk cost one normalisation.
 */
export class SourceText {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly span: SourceSpan;
  readonly #ascii: boolean;
  #checkpoints: number[] | undefined;
  #newlines: number[] | undefined;
  #hyphenated: boolean | undefined;
  readonly #normalised = new Map<boolean, NormalisedText>();

  constructor(bytes: Uint8Array | string, span: SourceSpan = { byte_start: 0, line_start: 1 }) {
    this.bytes = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    this.text = decoder.decode(this.bytes);
    this.span = span;
    this.#ascii = this.text.length === this.bytes.length;
  }

  /** The text with spaces, quotes, dashes and case made equal; `joined` also undoes hyphenation at line ends. */
  normalised(joined: boolean): NormalisedText {
    let known = this.#normalised.get(joined);
    if (known === undefined) {
      known = normaliseText(this.text, joined);
      this.#normalised.set(joined, known);
    }
    return known;
  }

  /** Offset in these bytes of a UTF-16 index that does not split a code point. */
  byteAt(index: number): number {
    if (this.#ascii) return index;
    this.#checkpoints ??= checkpointsOf(this.text, this.bytes);
    const at = Math.floor(index / CHECKPOINT_UNITS);
    const from = at * CHECKPOINT_UNITS;
    return walk(this.text, this.bytes, from, index, this.#checkpoints[at] ?? 0);
  }

  /** Whether some line ends in a hyphen after a letter, so that a word may have been broken there. */
  get hyphenated(): boolean {
    this.#hyphenated ??= /\p{L}[-‐][ \t]*\r?\n\s*\p{L}/u.test(this.text);
    return this.#hyphenated;
  }

  /** Line in the source of an offset in these bytes, from 1. */
  lineAt(byte: number): number {
    this.#newlines ??= newlinesOf(this.bytes);
    let [low, high] = [0, this.#newlines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#newlines[middle] ?? 0) < byte) low = middle + 1;
      else high = middle;
    }
    return this.span.line_start + low;
  }

  /** UTF-16 index at which a line of the source starts, roughly: for choosing the nearest of several hits. */
  indexOfLine(line: number): number {
    let index = 0;
    for (let at = this.span.line_start; at < line; at += 1) {
      const newline = this.text.indexOf('\n', index);
      if (newline === -1) break;
      index = newline + 1;
    }
    return index;
  }
}

function newlinesOf(bytes: Uint8Array): number[] {
  const newlines: number[] = [];
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) newlines.push(at);
  return newlines;
}

function checkpointsOf(text: string, bytes: Uint8Array): number[] {
  const checkpoints = [0];
  let byte = 0;
  for (let from = 0; from + CHECKPOINT_UNITS <= text.length; from += CHECKPOINT_UNITS) {
    byte = walk(text, bytes, from, from + CHECKPOINT_UNITS, byte);
    checkpoints.push(byte);
  }
  return checkpoints;
}

/** The byte offset of `to`, from the known one of `from`. A pair that `to` splits counts with its first half. */
function walk(text: string, bytes: Uint8Array, from: number, to: number, start: number): number {
  let byte = start;
  for (let index = from; index < to; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) byte += 1;
    else if (unit < 0x800) byte += 2;
    else if (unit >= 0xd800 && unit < 0xdc00) byte += 4;
    else if (unit >= 0xdc00 && unit < 0xe000) continue;
    else if (unit === 0xfffd) byte += replacedLength(bytes, byte);
    else byte += 3;
  }
  return byte;
}

/**
 * How many bytes the decoder replaced by the U+FFFD at `byte`: 3 for a real U+FFFD, else the longest start of
 * a valid sequence, at least one byte (WHATWG Encoding, "maximal subpart").
 */
function replacedLength(bytes: Uint8Array, byte: number): number {
  const first = bytes[byte] ?? 0;
  if (first === 0xef && bytes[byte + 1] === 0xbf && bytes[byte + 2] === 0xbd) return 3;
  const shape = sequenceShape(first);
  if (shape === undefined) return 1;
  let length = 1;
  let [low, high] = [shape.low, shape.high];
  while (length < shape.length) {
    const next = bytes[byte + length];
    if (next === undefined || next < low || next > high) break;
    length += 1;
    [low, high] = [0x80, 0xbf];
  }
  return length;
}

/** Length of the UTF-8 sequence that a lead byte starts, and the range of its second byte (Unicode table 3-7). */
function sequenceShape(lead: number): { length: number; low: number; high: number } | undefined {
  if (lead >= 0xc2 && lead <= 0xdf) return { length: 2, low: 0x80, high: 0xbf };
  if (lead >= 0xe0 && lead <= 0xef)
    return { length: 3, low: lead === 0xe0 ? 0xa0 : 0x80, high: lead === 0xed ? 0x9f : 0xbf };
  if (lead >= 0xf0 && lead <= 0xf4)
    return { length: 4, low: lead === 0xf0 ? 0x90 : 0x80, high: lead === 0xf4 ? 0x8f : 0xbf };
  return undefined;
}
