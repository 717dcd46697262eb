import { commonPrefix, isUnspaced, termOf } from './words.ts';

/** What begins less than this before the end of a block waits for the next block. */
export const LONGEST_WORD = 256;
export const LONGEST_CHARACTER = 4;
const REMEMBERED_WORDS = 1 << 14;

/** Told of each term that begins at a place where one may. */
type Found = (offset: number, term: number) => void;

/** Says which terms begin at a place where one may. `buffer` is filled up to `end`. */
interface Matcher {
  visit(buffer: Buffer, offset: number, end: number, found: Found): void;
}

/** ASCII texts in lower case, compared in any case. */
export class LiteralMatcher implements Matcher {
  readonly #terms: readonly string[];
  readonly #longest: number;

  constructor(terms: readonly string[]) {
    this.#terms = terms;
    this.#longest = Math.min(LONGEST_WORD, Math.max(...terms.map((term) => term.length)));
  }

  visit(buffer: Buffer, offset: number, end: number, found: Found): void {
    const text = buffer.toString('latin1', offset, Math.min(end, offset + this.#longest)).toLowerCase();
    for (const [index, term] of this.#terms.entries()) {
      if (text.startsWith(term.slice(0, this.#longest))) found(offset, index);
    }
  }
}

/** Words by their terms, and pairs of letters of scripts without spaces. */
export class WordMatcher implements Matcher {
  readonly #terms: Map<string, number>;
  readonly #unspaced: { bytes: Buffer; term: number }[];
  readonly #known = new KnownWords(REMEMBERED_WORDS);
  readonly #beginnings: Beginnings;

  constructor(terms: readonly string[]) {
    this.#terms = new Map(terms.map((term, index) => [term, index]));
    this.#unspaced = terms.flatMap((term, index) =>
      isUnspaced(term) ? [{ bytes: Buffer.from(term), term: index }] : [],
    );
    this.#beginnings = new Beginnings(terms.map(commonPrefix));
  }

  visit(buffer: Buffer, offset: number, end: number, found: Found): void {
    const first = buffer[offset] ?? 0;
    if (first < 0x80) {
      if (!this.#beginnings.at(buffer, offset)) return;
    } else {
      for (const { bytes, term } of this.#unspaced) {
        const stop = offset + bytes.length;
        if (stop <= end && buffer.compare(bytes, 0, bytes.length, offset, stop) === 0) {
          found(offset, term);
        }
      }
    }
    // The finder takes any byte that is not ASCII for the end of a word: an `é` before this one is a letter.
    if (offset > 0 && (buffer[offset - 1] ?? 0) >= 0x80 && isLetter(characterBefore(buffer, offset))) return;
    const term = this.#termAt(buffer, offset, end);
    if (term !== -1) found(offset, term);
  }

  #termAt(buffer: Buffer, offset: number, end: number): number {
    let before = buffer[offset] ?? 0;
    if (before >= 0x80) return this.#otherWordAt(buffer, offset, end);
    let hash = before;
    let stop = offset + 1;
    for (; stop < end && stop - offset < LONGEST_WORD; stop += 1) {
      const byte = buffer[stop] ?? 0;
      if (byte >= 0x80) return this.#otherWordAt(buffer, offset, end);
      const lower = byte | 0x20;
      const isLetterByte = lower >= 0x61 && lower <= 0x7a;
      if (!isLetterByte && (byte < 0x30 || byte > 0x39)) break;
      // `readFile`: a capital after a small letter begins another word.
      if (byte < 0x5b && byte > 0x40 && before >= 0x61 && before <= 0x7a) break;
      before = byte;
      hash = Math.imul(hash, 31) + byte;
    }
    const known = this.#known.get(buffer, offset, stop, hash);
    if (known !== undefined) return known;
    const term = this.#termOf(buffer.toString('latin1', offset, stop));
    this.#known.set(buffer, offset, stop, hash, term);
    return term;
  }

  #termOf(word: string): number {
    return this.#terms.get(termOf(word)) ?? -1;
  }

  /** A word with letters that are not ASCII. */
  #otherWordAt(buffer: Buffer, offset: number, end: number): number {
    const text = buffer.toString('utf8', offset, Math.min(end, offset + LONGEST_WORD));
    const letters: string[] = [];
    for (const character of text) {
      // It may run into a script without spaces: `API文档`.
      if (!isLetter(character)) break;
      letters.push(character);
    }
    return letters.length === 0 ? -1 : this.#termOf(letters.join(''));
  }
}

const SLOTS = 1 << 15;

/**
 * Whether what begins in ASCII begins like one of the words: it turns away most candidates at a tenth of what
 * making a string of them costs.
 */
class Beginnings {
  /** By the first three bytes: which list of beginnings to compare with; 0 for none. */
  readonly #slots = new Uint16Array(SLOTS);
  readonly #lists: Uint8Array[][] = [[]];
  #any = false;

  constructor(words: readonly string[]) {
    for (const word of words) {
      const beginning = Buffer.from(/^[\x00-\x7f]*/.exec(word)?.[0] ?? '').map((byte) => byte | 0x20);
      const [first, second, third] = beginning;
      if (first === undefined) continue;
      if (second === undefined) this.#any = true;
      else if (third !== undefined) this.#add(slotOf(first, second, third), beginning);
      // Any third byte; folding leaves half of them.
      else for (let byte = 0x20; byte < 0x100; byte += 1) this.#add(slotOf(first, second, byte), beginning);
    }
  }

  at(buffer: Buffer, offset: number): boolean {
    if (this.#any) return true;
    const slot = slotOf(buffer[offset] ?? 0, buffer[offset + 1] ?? 0, buffer[offset + 2] ?? 0);
    const list = this.#slots[slot] ?? 0;
    if (list === 0) return false;
    for (const beginning of this.#lists[list] ?? []) {
      let place = 0;
      while (place < beginning.length && ((buffer[offset + place] ?? 0) | 0x20) === beginning[place])
        place += 1;
      if (place === beginning.length) return true;
    }
    return false;
  }

  #add(slot: number, beginning: Uint8Array): void {
    if (this.#slots[slot] === 0) this.#slots[slot] = this.#lists.push([]) - 1;
    const list = this.#lists[this.#slots[slot] ?? 0];
    if (list !== undefined && !list.includes(beginning)) list.push(beginning);
  }
}

function slotOf(first: number, second: number, third: number): number {
  return ((first | 0x20) * 0x1f1f + (second | 0x20) * 0x101 + (third | 0x20)) & (SLOTS - 1);
}

function characterBefore(buffer: Buffer, offset: number): string {
  let from = offset - 1;
  while (from > 0 && offset - from < LONGEST_CHARACTER && ((buffer[from] ?? 0) & 0xc0) === 0x80) from -= 1;
  return buffer.toString('utf8', from, offset);
}

function isLetter(character: string): boolean {
  return /[\p{L}\p{N}\p{M}]/u.test(character) && !isUnspaced(character);
}

/** Bytes of a place: the word, its length, and what is known of it. Two places share a line of the cache. */
const PLACE_BYTES = 32;
const LENGTH_AT = 27;
const VALUE_AT = 7;

/**
 * What was found out about words met before, so that none is stemmed twice in a row of its like. By their bytes:
 * making a string of a word costs more than all else that is done with it. Each hash has two places, the later word
 * first; the third one of a hash drives out the oldest. All lie in one array: an object for each would be a cache miss
 * for each.
 */
class KnownWords {
  readonly #bytes: Uint8Array;
  readonly #values: Int32Array;
  readonly #shift: number;

  /** @param size how many words at most; a power of two, at least four */
  constructor(size: number) {
    this.#bytes = new Uint8Array(size * PLACE_BYTES);
    this.#values = new Int32Array(this.#bytes.buffer);
    this.#shift = 33 - Math.log2(size);
  }

  /** @param hash of the word's bytes: `Math.imul(hash, 31) + byte` over them */
  get(buffer: Uint8Array, from: number, to: number, hash: number): number | undefined {
    const bytes = this.#bytes;
    const length = to - from;
    const first = (Math.imul(hash, 0x9e3779b1) >>> this.#shift) * 2 * PLACE_BYTES;
    search: for (let place = first; place <= first + PLACE_BYTES; place += PLACE_BYTES) {
      if (bytes[place + LENGTH_AT] !== length) continue;
      for (let at = 0; at < length; at += 1) {
        if (buffer[from + at] !== bytes[place + at]) continue search;
      }
      return this.#values[place / 4 + VALUE_AT];
    }
    return undefined;
  }

  /** Longer words than fit are not kept; nearly none is longer. */
  set(buffer: Uint8Array, from: number, to: number, hash: number, value: number): void {
    if (to - from > LENGTH_AT) return;
    const bytes = this.#bytes;
    const first = (Math.imul(hash, 0x9e3779b1) >>> this.#shift) * 2 * PLACE_BYTES;
    bytes.copyWithin(first + PLACE_BYTES, first, first + PLACE_BYTES);
    for (let at = from; at < to; at += 1) bytes[first + at - from] = buffer[at] ?? 0;
    bytes[first + LENGTH_AT] = to - from;
    this.#values[first / 4 + VALUE_AT] = value;
  }
}
