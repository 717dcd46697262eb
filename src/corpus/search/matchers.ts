import { isUnspaced, termOf } from './words.ts';

/** What begins less than this before the end of a block waits for the next block. */
export const LONGEST_WORD = 256;
export const LONGEST_CHARACTER = 4;
/** Words seen once need not be stemmed again; they are forgotten when there are this many. */
const REMEMBERED_WORDS = 1 << 16;

/** Says which terms begin at a place where one may. `buffer` is filled up to `end`. */
export interface Matcher {
  visit(buffer: Buffer, offset: number, end: number, found: (term: number) => void): void;
}

/** ASCII texts in lower case, compared in any case. */
export class LiteralMatcher implements Matcher {
  readonly #terms: readonly string[];
  readonly #longest: number;

  constructor(terms: readonly string[]) {
    this.#terms = terms;
    this.#longest = Math.min(LONGEST_WORD, Math.max(...terms.map((term) => term.length)));
  }

  visit(buffer: Buffer, offset: number, end: number, found: (term: number) => void): void {
    const text = buffer.toString('latin1', offset, Math.min(end, offset + this.#longest)).toLowerCase();
    for (const [index, term] of this.#terms.entries()) {
      if (text.startsWith(term.slice(0, this.#longest))) found(index);
    }
  }
}

/** Words by their terms, and pairs of letters of scripts without spaces. */
export class WordMatcher implements Matcher {
  readonly #terms: Map<string, number>;
  readonly #unspaced: { bytes: Buffer; term: number }[];
  readonly #known = new Map<string, number>();

  constructor(terms: readonly string[]) {
    this.#terms = new Map(terms.map((term, index) => [term, index]));
    this.#unspaced = terms.flatMap((term, index) =>
      isUnspaced(term) ? [{ bytes: Buffer.from(term), term: index }] : [],
    );
  }

  visit(buffer: Buffer, offset: number, end: number, found: (term: number) => void): void {
    const first = buffer[offset] ?? 0;
    if (first >= 0x80) {
      for (const { bytes, term } of this.#unspaced) {
        const stop = offset + bytes.length;
        if (stop <= end && buffer.compare(bytes, 0, bytes.length, offset, stop) === 0) found(term);
      }
    }
    // The finder takes any byte that is not ASCII for the end of a word: an `é` before this one is a letter.
    if (offset > 0 && (buffer[offset - 1] ?? 0) >= 0x80 && isLetter(characterBefore(buffer, offset))) return;
    const term = this.#termAt(buffer, offset, end);
    if (term !== -1) found(term);
  }

  #termAt(buffer: Buffer, offset: number, end: number): number {
    let before = buffer[offset] ?? 0;
    if (before >= 0x80) return this.#otherWordAt(buffer, offset, end);
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
    }
    return this.#termOf(buffer.toString('latin1', offset, stop));
  }

  #termOf(word: string): number {
    const known = this.#known.get(word);
    if (known !== undefined) return known;
    if (this.#known.size >= REMEMBERED_WORDS) this.#known.clear();
    const term = this.#terms.get(termOf(word)) ?? -1;
    this.#known.set(word, term);
    return term;
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

function characterBefore(buffer: Buffer, offset: number): string {
  let from = offset - 1;
  while (from > 0 && offset - from < LONGEST_CHARACTER && ((buffer[from] ?? 0) & 0xc0) === 0x80) from -= 1;
  return buffer.toString('utf8', from, offset);
}

function isLetter(character: string): boolean {
  return /[\p{L}\p{N}\p{M}]/u.test(character) && !isUnspaced(character);
}
