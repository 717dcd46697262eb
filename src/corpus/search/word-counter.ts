import { isAscii } from 'node:buffer';
import { KnownWords } from './known-words.ts';
import { termOf, wordsOf } from './words.ts';

const REMEMBERED_WORDS = 1 << 17;

const DIGIT = 1;
const SMALL = 2;
const CAPITAL = 3;
/** By byte; what is no letter or digit of ASCII is 0. */
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x30 && byte <= 0x39) return DIGIT;
  if (byte >= 0x61 && byte <= 0x7a) return SMALL;
  return byte >= 0x41 && byte <= 0x5a ? CAPITAL : 0;
});

/** Numbers the terms of texts as they come, and counts them. The same words as `wordsOf` finds. */
export class WordCounter {
  /** By number. */
  readonly terms: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #known = new KnownWords(REMEMBERED_WORDS);
  #counts = new Uint32Array(1 << 12);
  #touched: number[] = [];

  /** Reports each term of a text (UTF-8) once, with how often it stands there. */
  count(text: Buffer, report: (term: number, count: number) => void): void {
    if (isAscii(text)) this.#countAscii(text);
    else for (const { term } of wordsOf(text.toString('utf8'))) this.#add(this.#numberOf(term));
    for (const term of this.#touched) {
      report(term, this.#counts[term] ?? 0);
      this.#counts[term] = 0;
    }
    this.#touched.length = 0;
  }

  /** Without a string for each word: five times as fast. */
  #countAscii(text: Buffer): void {
    let from = -1;
    let hash = 0;
    let before = 0;
    for (let at = 0; at <= text.length; at += 1) {
      const byte = text[at] ?? 0;
      const kind = KINDS[byte] ?? 0;
      if (from !== -1 && (kind === 0 || (kind === CAPITAL && before === SMALL))) {
        this.#add(this.#numberAt(text, from, at, hash));
        from = -1;
      }
      if (kind !== 0 && from === -1) {
        from = at;
        hash = byte;
      } else hash = Math.imul(hash, 31) + byte;
      before = kind;
    }
  }

  #numberAt(text: Buffer, from: number, to: number, hash: number): number {
    const known = this.#known.get(text, from, to, hash);
    if (known !== undefined) return known;
    const number = this.#numberOf(termOf(text.toString('latin1', from, to)));
    this.#known.set(text, from, to, hash, number);
    return number;
  }

  #numberOf(term: string): number {
    const known = this.#numbers.get(term);
    if (known !== undefined) return known;
    const number = this.terms.push(term) - 1;
    this.#numbers.set(term, number);
    if (number >= this.#counts.length) {
      const grown = new Uint32Array(this.#counts.length * 2);
      grown.set(this.#counts);
      this.#counts = grown;
    }
    return number;
  }

  #add(term: number): void {
    const count = this.#counts[term] ?? 0;
    if (count === 0) this.#touched.push(term);
    this.#counts[term] = count + 1;
  }
}
