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
 * Visits the stems of a text's words, of their parts, and of words with a particle. (A callback: a generator
 * costs more than the work.)
 */
export function visitStems(text: string, visit: (stem: string) => void): void {
  WORD.lastIndex = 0;
  let before = '';
  for (let match = WORD.exec(text); match !== null; match = WORD.exec(text)) {
    const [written] = match;
    if (written.length > MAX_WORD) continue;
    const stems = stemsOf(written);
    for (const one of stems) visit(one);
    if (before !== '' && PARTICLE.test(written)) visit(before + written);
    before = stems[0] ?? '';
  }
}

/** The stem of a lower-case word, without accents: `timeouts` and `timeout` are one. */
export function stem(word: string): string {
  return stemmer(/^[\x20-\x7e]*$/.test(word) ? word : word.normalize('NFKD').replace(/\p{M}+/gu, ''));
}

/** Words come again and again; bounded, because a chunk of random letters has no end of new ones. */
const known = new Map<string, readonly string[]>();
const MAX_KNOWN = 50_000;

function stemsOf(written: string): readonly string[] {
  const cached = known.get(written);
  if (cached !== undefined) return cached;
  const { whole, parts } = takeApart(written);
  const stems = [stem(whole), ...parts.map(stem)];
  if (known.size >= MAX_KNOWN) known.clear();
  // A slice of a match keeps the whole chunk alive; the cache must not.
  known.set(Buffer.from(written).toString(), stems);
  return stems;
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
