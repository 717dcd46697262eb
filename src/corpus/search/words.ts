import { stemmer } from 'stemmer';

/** Words of a question that say nothing about where its answer stands. */
const STOP_WORDS = new Set(
  `a about above after again all also am an and any are as at be because been before being below between both
but by can cannot could did do does doing don down during each few for from further had has have having he her
here hers him his how i if in into is isn it its itself just ll me might more most must my no nor not now of
off on once only or other our out over own please re s same shall she should so some such t tell than that the
their them then there these they this those through to too under until up upon us ve very was we were what
when where whether which while who whom whose why will with would you your`.split(/\s+/),
);

/** Scripts that write no spaces between words (or, Hangul, none before endings): searched by pairs of letters. */
const UNSPACED =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}ー';
const RUNS = new RegExp(`[${UNSPACED}]+|[[\\p{L}\\p{N}\\p{M}]--[${UNSPACED}]]+`, 'gv');
/** The same for texts of ASCII alone, at a fifth of the cost. */
const ASCII_RUNS = /[A-Za-z0-9]+/g;
const ASCII = /^[\x00-\x7f]*$/;
const UNSPACED_ONLY = new RegExp(`^[${UNSPACED}]`, 'u');
/** `readFile` holds two words; `IPv4` and `utf8` are one. */
const CAMEL = /(?<=[a-z])(?=[A-Z])/;

/** A word of a text: what it is compared by, and its range (UTF-16 units). */
export interface Word {
  term: string;
  text: string;
  start: number;
  end: number;
}

/** A pair of letters, or a single one on its own, of a script without spaces. */
export function isUnspaced(text: string): boolean {
  return UNSPACED_ONLY.test(text);
}

export function isStopWord(word: string): boolean {
  return STOP_WORDS.has(word);
}

/** What all forms of a word have in common (Porter for English; other words in lower case). */
export function termOf(word: string): string {
  const lower = word.toLowerCase();
  if (!/^[a-z]{3,}$/.test(lower)) return lower;
  const stem = stemmer(lower);
  return stem.length < 3 ? lower : stem;
}

/**
 * The words of a text in order, stop words included.
 *
 * @param beginnings what `beginningOf` gives for the terms that are looked for: stemming is most of the work, and
 *   words that begin otherwise are skipped
 */
export function* wordsOf(text: string, beginnings?: ReadonlySet<string>): Generator<Word> {
  const ascii = ASCII.test(text);
  for (const run of text.matchAll(ascii ? ASCII_RUNS : RUNS)) {
    const from = run.index;
    if (!ascii && isUnspaced(run[0])) {
      const letters = [...run[0]];
      let start = from;
      for (let at = 0; at < Math.max(1, letters.length - 1); at += 1) {
        const pair = `${letters[at] ?? ''}${letters[at + 1] ?? ''}`;
        yield { term: pair, text: pair, start, end: start + pair.length };
        start += letters[at]?.length ?? 0;
      }
      continue;
    }
    let start = from;
    // Splitting is dear, and hardly a word has a capital within.
    const parts = run[0].toLowerCase() === run[0] ? [run[0]] : run[0].split(CAMEL);
    for (const part of parts) {
      if (beginnings?.has(part.toLowerCase().slice(0, 2)) !== false) {
        yield { term: termOf(part), text: part, start, end: start + part.length };
      }
      start += part.length;
    }
  }
}

/**
 * A beginning that every word with this term has: stemming changes ends only, and writes at most the last letter
 * anew (`memori` of memory, `sensibl` of sensibility, `hope` of hoping).
 */
export function commonPrefix(term: string): string {
  if (!/^[a-z]{3,}$/.test(term)) return term;
  return term.replace(/(?:[ie]|(?<=b)l)$/, '');
}

/** Two letters that every word with this term begins with. */
export function beginningOf(term: string): string {
  return commonPrefix(term).slice(0, 2);
}
