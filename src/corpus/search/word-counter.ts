import { RlmError } from '../../errors.ts';
import { termOf, wordsOf } from './words.ts';
import { WORDS_WASM } from './words-wasm.ts';

/** Addresses and sizes in the module's memory: see words.wat. */
const TEXT = 65536;
const TEXT_BYTES = 1 << 20;
const TOUCHED = 1179648;
const COUNTS = 3276800;
const MAX_TERMS = 1 << 20;

const DIGIT = 1;
const SMALL = 2;
const CAPITAL = 3;
/** What is no ASCII: a letter, a sign or a part of either. */
const OTHER = 4;
/** By byte; what is no letter or digit of ASCII is 0. */
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return OTHER;
  if (byte >= 0x30 && byte <= 0x39) return DIGIT;
  if (byte >= 0x61 && byte <= 0x7a) return SMALL;
  return byte >= 0x41 && byte <= 0x5a ? CAPITAL : 0;
});

const compiled = new WebAssembly.Module(Buffer.from(WORDS_WASM, 'base64'));

/**
 * Numbers the terms of texts as they come, and counts them. The same words as `wordsOf` finds; those of ASCII are cut
 * and known by their bytes, without a string for each.
 */
export class WordCounter {
  /** By number. */
  readonly terms: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #memory: Buffer;
  readonly #touched: Uint32Array;
  readonly #counts: Uint32Array;
  readonly #count: (length: number) => number;
  readonly #add: (term: number) => void;
  #length = 0;

  constructor() {
    const words = {
      miss: (from: number, to: number) => this.#numberOf(termOf(this.#memory.toString('latin1', from, to))),
      other: (from: number, at: number) => this.#countOther(from, at),
    };
    const { memory, count, add } = new WebAssembly.Instance(compiled, { words }).exports;
    if (!(memory instanceof WebAssembly.Memory) || typeof count !== 'function' || typeof add !== 'function') {
      throw new Error('words.wasm lacks its exports');
    }
    this.#memory = Buffer.from(memory.buffer);
    this.#memory.set(KINDS);
    this.#touched = new Uint32Array(memory.buffer, TOUCHED, TEXT_BYTES / 2);
    this.#counts = new Uint32Array(memory.buffer, COUNTS, MAX_TERMS);
    this.#count = (length) => Number(count(length));
    this.#add = (term) => {
      add(term);
    };
  }

  /**
   * Reports each term of a text (UTF-8) once, with how often it stands there.
   *
   * @throws RlmError `limit` for a text of more than a megabyte, or more than a million terms in all
   */
  count(text: Uint8Array, report: (term: number, count: number) => void): void {
    if (text.length > TEXT_BYTES) {
      throw new RlmError('limit', `a chunk of ${text.length} bytes is too large to be indexed`, {
        hint: `Ingest in chunks of at most ${TEXT_BYTES} bytes.`,
      });
    }
    this.#memory.set(text, TEXT);
    this.#length = text.length;
    // Where the text ends a word ends.
    this.#memory[TEXT + text.length] = 0;
    const distinct = this.#count(text.length);
    for (let index = 0; index < distinct; index += 1) {
      const term = this.#touched[index] ?? 0;
      report(term, this.#counts[term] ?? 0);
      this.#counts[term] = 0;
    }
  }

  /** The words of a run of letters of which some are not ASCII; returns where it ends. */
  #countOther(from: number, other: number): number {
    let at = other;
    const end = TEXT + this.#length;
    while (at < end && KINDS[this.#memory[at] ?? 0] !== 0) at += 1;
    for (const { term } of wordsOf(this.#memory.toString('utf8', from, at))) this.#add(this.#numberOf(term));
    return at;
  }

  #numberOf(term: string): number {
    const known = this.#numbers.get(term);
    if (known !== undefined) return known;
    const number = this.terms.push(term) - 1;
    if (number >= MAX_TERMS) throw new RlmError('limit', `more than ${MAX_TERMS} terms were counted at once`);
    this.#numbers.set(term, number);
    return number;
  }
}
