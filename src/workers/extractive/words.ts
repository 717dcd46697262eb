import { stemmer } from 'stemmer';
import { isStopWord } from './stop-words.ts';

/** Scripts written without spaces between words (and Korean, whose particles cling to them). */
export const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー]/u;

/** One written word of a spaced script; identifiers and hyphenated words stay whole at first. */
const WORD =
  /[A-Za-z0-9\u00aa-\u02ff\u0370-\u0dff\u1e00-\u1fff]+(?:[_'’-][A-Za-z0-9\u00aa-\u02ff\u0370-\u0dff\u1e00-\u1fff]+)*/g;
/** A longer one is no word but data: base64, a hash, a line of letters. */
const MAX_WORD = 80;

/** A word as written, and its parts: `max_retries`, `time-out` and `readTimeout` have two each. */
export interface Word {
  written: string;
  /** All of it, lower case and joined: `timeout` for `time-out`. */
  whole: string;
  /** Lower case; empty when the word has one part only. */
  parts: string[];
}

/** `times out` and `shut down` are `timeout` and `shutdown` elsewhere. */
const PARTICLE = /^(?:out|up|down|off|back|over|away)$/;
const MAX_PARTICLE = 4;

/** The words of a text in spaced scripts; one with its particle is one word of two parts. */
export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  const all = text.match(WORD) ?? [];
  for (const [index, written] of all.entries()) {
    const last = words.at(-1);
    if (written.length > MAX_WORD) continue;
    // `keep it out of the log` has none.
    const particle = PARTICLE.test(written) && all[index + 1] !== 'of';
    if (last?.parts.length === 0 && particle && !isStopWord(last.whole)) {
      words[words.length - 1] = {
        written: `${last.written} ${written}`,
        whole: stem(last.whole) + written,
        parts: [last.whole, written],
      };
    } else words.push(takeApart(written));
  }
  return words;
}

/**
 * Visits a text's words as they are written, each with what it is together with the word before where it is a
 * particle (`timeout` for the `out` of `times out`). (A callback: a generator costs more than the work.)
 */
export function visitWords(
  text: string,
  visit: (written: string, compound: string | undefined) => void,
): void {
  WORD.lastIndex = 0;
  let before = '';
  for (let match = WORD.exec(text); match !== null; match = WORD.exec(text)) {
    const [written] = match;
    if (written.length > MAX_WORD) continue;
    const particle = before !== '' && written.length <= MAX_PARTICLE && PARTICLE.test(written);
    visit(written, particle ? `${stemsOf(before)[0] ?? ''}${written}` : undefined);
    before = written;
  }
}

/** The stem of a lower-case word, without accents: `timeouts` and `timeout` are one. */
export function stem(word: string): string {
  return stemmer(/^[\x20-\x7e]*$/.test(word) ? word : word.normalize('NFKD').replace(/\p{M}+/gu, ''));
}

/** The stems of a written word and of its parts. */
export function stemsOf(written: string): readonly string[] {
  const { whole, parts } = takeApart(written);
  return [stem(whole), ...parts.map(stem)];
}

function takeApart(written: string): Word {
  const plain = written.replace(/['’](?:s|t|re|ve|ll|d|m)$/i, '');
  const parts = plain
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .split(/[ _'’-]+/)
    .filter((part) => part !== '')
    .map((part) => part.toLowerCase());
  return { written, whole: parts.join(''), parts: parts.length > 1 ? parts : [] };
}
