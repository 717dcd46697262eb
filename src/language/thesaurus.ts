import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { messageOf } from '../errors.ts';

const NEWLINE = 0x0a;
const OPEN_PARENTHESIS = 0x28;
const LETTER_A = 0x61;
const LETTER_Z = 0x7a;
/** What is read at once to find a word in it. */
const WINDOW_BYTES = 4096;
const REMEMBERED_WORDS = 4096;

/** A word of like meaning. `mutual`: each is listed under the other, which leaves broader terms out. */
export interface Synonym {
  word: string;
  mutual: boolean;
}

/**
 * The English thesaurus of the npm package `word-thesaurus` (MyThes data, from WordNet: 12 MB, MIT and BSD).
 * Its data file is searched as it is: opening it takes 5 ms, looking a word up a few microseconds.
 * An entry is a line `word|senses`, then a line `(part of speech)|synonym|…` for each sense.
 */
export class Thesaurus {
  readonly #data: Buffer;
  readonly #seen = new Map<number, { word: string; end: number }>();
  readonly #known = new Map<string, readonly Synonym[]>();

  private constructor(data: Buffer) {
    this.#data = data;
  }

  /** Undefined, with the reason, when the package is not installed: a search then does without it. */
  static open(): Thesaurus | { missing: string } {
    opened ??= Thesaurus.#load();
    return opened;
  }

  static #load(): Thesaurus | { missing: string } {
    try {
      const entry = createRequire(import.meta.url).resolve('word-thesaurus');
      return new Thesaurus(readFileSync(join(dirname(entry), '..', 'src', 'thesaurus.dat')));
    } catch (error) {
      return { missing: messageOf(error).split('\n')[0] ?? '' };
    }
  }

  /** Single words of like meaning, those of the first senses first. `word` may be inflected. */
  synonyms(word: string): readonly Synonym[] {
    const known = this.#known.get(word);
    if (known !== undefined) return known;
    if (this.#known.size >= REMEMBERED_WORDS) this.#known.clear();
    const found = this.#synonymsOf(word);
    this.#known.set(word, found);
    return found;
  }

  #synonymsOf(word: string): Synonym[] {
    for (const form of baseForms(word.toLowerCase())) {
      const senses = this.#senses(form);
      if (senses.length === 0) continue;
      const words = new Set(
        senses.flat().filter((synonym) => /^[a-z]{3,}$/.test(synonym) && synonym !== form),
      );
      return [...words].map((synonym) => ({
        word: synonym,
        mutual: this.#senses(synonym).some((sense) => sense.includes(form)),
      }));
    }
    return [];
  }

  #senses(word: string): string[][] {
    const entry = this.#find(word);
    if (entry === undefined) return [];
    const senses: string[][] = [];
    for (let at = entry.end + 1; at < this.#data.length && this.#data[at] === OPEN_PARENTHESIS; ) {
      const end = this.#lineEnd(at);
      const [, ...synonyms] = this.#data.toString('utf8', at, end).split('|');
      senses.push(synonyms.map((synonym) => synonym.trim()));
      at = end + 1;
    }
    return senses;
  }

  /** Single words stand in order; phrases and numbers among them do not, and are passed over. */
  #find(word: string): { end: number } | undefined {
    let low = 0;
    let high = this.#data.length;
    // The same places are looked at first for all words: what stands there is kept.
    while (high - low > WINDOW_BYTES) {
      const middle = (low + high) >> 1;
      const entry = this.#seen.get(middle) ?? this.#entryAfter(middle, high);
      if (entry === undefined || entry.word > word) high = middle;
      else if (entry.word === word) return entry;
      else low = entry.end + 1;
      if (entry !== undefined) this.#seen.set(middle, entry);
    }
    const from = Math.max(0, low - 1);
    const at = this.#data.toString('latin1', from, high + word.length + 1).indexOf(`\n${word}|`);
    return at === -1 ? undefined : { end: this.#lineEnd(from + at + 1) };
  }

  /** The first entry of a single word whose line starts at or after `from`, and before `before`. */
  #entryAfter(from: number, before: number): { word: string; end: number } | undefined {
    let at = from === 0 ? 0 : this.#lineEnd(from - 1) + 1;
    while (at < before) {
      const end = this.#lineEnd(at);
      const first = this.#data[at] ?? 0;
      if (first >= LETTER_A && first <= LETTER_Z) {
        const word = /^([a-z]+)\|/.exec(this.#data.toString('latin1', at, end))?.[1];
        if (word !== undefined) return { word, end };
      }
      at = end + 1;
    }
    return undefined;
  }

  #lineEnd(from: number): number {
    const end = this.#data.indexOf(NEWLINE, from);
    return end === -1 ? this.#data.length : end;
  }
}

/** Kept from the first question on: reading it takes longer than an index takes to answer. */
let opened: Thesaurus | { missing: string } | undefined;

/** The word, then what it may be an inflection of. */
function baseForms(word: string): string[] {
  const forms = [word];
  const add = (ending: string, replacement: string) => {
    if (word.endsWith(ending) && word.length - ending.length >= 2) {
      forms.push(word.slice(0, -ending.length) + replacement);
    }
  };
  add('ies', 'y');
  add('ied', 'y');
  add('s', '');
  add('es', '');
  add('d', '');
  add('ed', '');
  add('ing', '');
  add('ing', 'e');
  const doubled = /^(.*([b-df-hj-np-tv-z]))\2(?:ed|ing)$/.exec(word)?.[1];
  if (doubled !== undefined) forms.push(doubled);
  return forms;
}
