import search from 'approx-string-match';
import {
  CRITICAL_CHARACTERS,
  FUNCTION_WORDS,
  NEGATIONS,
  POLAR_WORDS,
  TURNING_PREFIX,
} from './critical-words.ts';
import { normaliseText } from './normalise.ts';

/** Where a quote was found, as UTF-16 indexes into the text. */
export interface TextSpan {
  start: number;
  end: number;
}

/** Edits that a near match may need, as a share of the quote's length, and the shortest quote that may. */
const MAX_EDIT_SHARE = 0.1;
const MIN_FUZZY_LENGTH = 24;
const MAX_FUZZY_LENGTH = 1000;
/** Characters of a piece: short enough that many survive, long enough that few occur elsewhere. */
const PIECE = 8;
/** Places of one piece that are followed; a piece more common than this is taken to be everywhere. */
const MAX_PLACES = 20_000;

export interface NearMatch extends TextSpan {
  edits: number;
}

/**
 * The places where `pattern` occurs in `text` with at most a tenth of its characters edited, fewest edits first.
 *
 * The pattern is cut into pieces. An edit breaks at most one of them, so all but `maxEdits` pieces still occur
 * in the text, at distances that are off by at most `maxEdits` (pigeonhole; Navarro 2001, "filtering"). Plain
 * `indexOf` finds the pieces, and only windows that hold enough of them are searched: nothing is lost by it.
 */
export function nearMatches(text: string, pattern: string): NearMatch[] {
  if (pattern.length < MIN_FUZZY_LENGTH || pattern.length > MAX_FUZZY_LENGTH) return [];
  const maxEdits = Math.floor(pattern.length * MAX_EDIT_SHARE);
  const matches: NearMatch[] = [];
  for (const window of windowsOf(text, pattern, maxEdits)) {
    for (const match of search(text.slice(window.start, window.end), pattern, maxEdits))
      matches.push({ start: window.start + match.start, end: window.start + match.end, edits: match.errors });
  }
  return matches.sort((a, b) => a.edits - b.edits);
}

function windowsOf(text: string, pattern: string, maxEdits: number): TextSpan[] {
  const pieces = Math.floor(pattern.length / PIECE);
  let needed = pieces - maxEdits;
  const found: number[] = [];
  for (let piece = 0; piece < pieces; piece += 1) {
    const from = piece * PIECE;
    const places = placesOf(text, pattern.slice(from, from + PIECE));
    if (places === undefined) needed -= 1;
    else for (const place of places) found.push(place - from);
  }
  if (needed <= 0) return [{ start: 0, end: text.length }];
  const starts = Float64Array.from(found).sort();
  const windows: TextSpan[] = [];
  for (let first = 0; first + needed <= starts.length; first += 1) {
    const [low = 0, high = 0] = [starts[first], starts[first + needed - 1]];
    if (high - low > maxEdits) continue;
    const window = {
      start: Math.max(0, low - 2 * maxEdits),
      end: Math.min(text.length, high + pattern.length + 2 * maxEdits),
    };
    const last = windows.at(-1);
    if (last !== undefined && window.start <= last.end) last.end = Math.max(last.end, window.end);
    else windows.push(window);
  }
  return windows;
}

/** Where a piece occurs; undefined when it occurs nearly everywhere. */
function placesOf(text: string, piece: string): number[] | undefined {
  const places: number[] = [];
  for (let at = text.indexOf(piece); at !== -1; at = text.indexOf(piece, at + 1)) {
    places.push(at);
    if (places.length > MAX_PLACES) return undefined;
  }
  return places;
}

/** What a near match would have changed. */
export type WordChange = 'number_changed' | 'negation_changed' | 'identifier_changed' | 'word_changed';

/** Above this the alignment would cost more than a wrong quote is worth, in characters. */
const MAX_COMPARED = 2000;
/** Share of a word's letters that must occur in both texts; of a polar word's (`north`, `south`); of a name's. */
const WORD_SHARE = 0.5;
const POLAR_SHARE = 0.65;
const NAME_SHARE = 0.8;
/** Letters at a word's start that may all be new. */
const MAX_NEW_HEAD = 3;

/** A run of word characters, joined by inner punctuation: `10,000`, `foo.bar()`, `well-known`, `--no-cache`, `-5`. */
const TOKEN =
  /(?:(?<![\p{L}\p{N}_])-{1,2})?[$@#]?[\p{L}\p{N}_][\p{L}\p{N}\p{M}_]*(?:(?:[-.',:/@\\+]|::|->)[\p{L}\p{N}_][\p{L}\p{N}\p{M}_]*)*/gu;
const TYPOGRAPHY: [RegExp, string][] = [
  [/[‐‑‒–—−﹣－]/gu, '-'],
  [/[‘’‛ʼ′]/gu, "'"],
  [/[\u00ad\u200b-\u200f\u2060\ufeff]/gu, ''],
];

const CJK_NUMERALS = /[〇零一二两兩三四五六七八九十百千万萬亿億兆]/u;

interface Token {
  folded: string;
  kind: WordChange | undefined;
}

/**
 * Whether a near match says the same as the quote: same numbers, negations, identifiers and other words that
 * decide a meaning, and no other word replaced. Letters may differ here and there, function words too.
 *
 * @returns undefined when nothing that counts was changed, else what was
 */
export function changedBetween(quote: string, found: string): WordChange | undefined {
  if (quote.length > MAX_COMPARED || found.length > MAX_COMPARED) return 'word_changed';
  const [inQuote, inFound] = [tokensOf(quote), tokensOf(found)];
  return (
    changedCount(inQuote, inFound) ??
    changedCharacters(quote, found) ??
    turnedWord(inQuote, inFound) ??
    replacedWord(quote, found)
  );
}

function tokensOf(text: string): Token[] {
  let plain = text;
  for (const [pattern, by] of TYPOGRAPHY) plain = plain.replace(pattern, by);
  const tokens: Token[] = [];
  for (const [raw] of plain.matchAll(TOKEN)) {
    const folded = normaliseText(raw, false).text;
    tokens.push({ folded, kind: kindOf(raw, folded) });
  }
  return tokens;
}

function kindOf(raw: string, folded: string): WordChange | undefined {
  if (NEGATIONS.has(folded) || folded.endsWith("n't")) return 'negation_changed';
  if (/\p{N}/u.test(raw)) return /\p{L}|_/u.test(raw) ? 'identifier_changed' : 'number_changed';
  if (/_|[./\\:@]|^--|^[$@#]|->|\p{Ll}\p{Lu}|^\p{Lu}{2,}$/u.test(raw)) return 'identifier_changed';
  return POLAR_WORDS.has(folded) ? 'word_changed' : undefined;
}

/** A token that counts in either text must occur as often in the other; polar words may not change places. */
function changedCount(a: Token[], b: Token[]): WordChange | undefined {
  const [inA, inB] = [counts(a.map((token) => token.folded)), counts(b.map((token) => token.folded))];
  const differs = (token: Token) => inA.get(token.folded) !== inB.get(token.folded);
  for (const token of [...a, ...b])
    if (token.kind !== undefined && token.kind !== 'word_changed' && differs(token)) return token.kind;
  const swapped = [a, b].every((tokens) =>
    tokens.some((token) => token.kind === 'word_changed' && differs(token)),
  );
  return swapped ? 'word_changed' : undefined;
}

function counts(values: string[]): Map<string, number> {
  const map = new Map<string, number>();
  for (const value of values) map.set(value, (map.get(value) ?? 0) + 1);
  return map;
}

function changedCharacters(quote: string, found: string): WordChange | undefined {
  const [a, b] = [
    counts(quote.match(CRITICAL_CHARACTERS) ?? []),
    counts(found.match(CRITICAL_CHARACTERS) ?? []),
  ];
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    if (a.get(key) !== b.get(key)) return CJK_NUMERALS.test(key) ? 'number_changed' : 'negation_changed';
  }
  return undefined;
}

/** `able` for `unable`, `increase` for `decrease`: words that differ by a prefix that turns the meaning. */
function turnedWord(a: Token[], b: Token[]): WordChange | undefined {
  const [inA, inB] = [new Set(a.map((token) => token.folded)), new Set(b.map((token) => token.folded))];
  for (const word of inA) {
    if (inB.has(word) || word.length < 3) continue;
    for (const other of inB) if (!inA.has(other) && turned(word, other)) return 'word_changed';
  }
  return undefined;
}

function turned(a: string, b: string): boolean {
  let same = 0;
  while (same < Math.min(a.length, b.length) && a.at(-1 - same) === b.at(-1 - same)) same += 1;
  for (let stem = same; stem >= 3; stem -= 1) {
    const [headA, headB] = [a.slice(0, a.length - stem), b.slice(0, b.length - stem)];
    if (headA === '' || headB === '') {
      if (headA.length + headB.length > 1 && TURNING_PREFIX.test(headA + headB)) return true;
    } else if (TURNING_PREFIX.test(headA) && TURNING_PREFIX.test(headB)) return true;
  }
  return false;
}

/** A word of either text most of whose letters have no partner in the other was replaced, added or dropped. */
function replacedWord(quote: string, found: string): WordChange | undefined {
  const [a, b] = [normaliseText(quote, false), normaliseText(found, false)];
  const matched = matchedCharacters(a.text, b.text);
  return (
    unmatchedWord(a.text, matched.a, quote, a.starts) ?? unmatchedWord(b.text, matched.b, found, b.starts)
  );
}

function unmatchedWord(
  text: string,
  matched: Uint8Array,
  original: string,
  starts: Uint32Array,
): WordChange | undefined {
  for (const word of text.matchAll(/[\p{L}\p{N}\p{M}_]+/gu)) {
    const polar = POLAR_WORDS.has(word[0]);
    if (!polar && (word[0].length <= 2 || FUNCTION_WORDS.has(word[0]))) continue;
    const letters = matched.subarray(word.index, word.index + word[0].length);
    const hits = letters.reduce((sum, hit) => sum + hit, 0);
    // Endings vary, beginnings do not: `positive` and `negative`.
    if (letters.indexOf(1) >= MAX_NEW_HEAD) return 'word_changed';
    const name = isName(original, starts[word.index] ?? 0);
    if (hits < word[0].length * (name ? NAME_SHARE : polar ? POLAR_SHARE : WORD_SHARE)) return 'word_changed';
  }
  return undefined;
}

/** A capital inside a sentence: most likely a name. */
function isName(text: string, at: number): boolean {
  return (
    /^\p{Lu}/u.test(text.slice(at, at + 2)) &&
    /[\p{L}\p{N},;)]["'’”]?\s+$/u.test(text.slice(Math.max(0, at - 4), at))
  );
}

/**
 * Aligns two texts with the fewest edits and says which characters found their equal: 1 a match, 0 none.
 * Time and memory grow with the product of the lengths: for texts of a quote's size.
 */
function matchedCharacters(a: string, b: string): { a: Uint8Array; b: Uint8Array } {
  const width = b.length + 1;
  const costs = costTable(a, b, width);
  const matched = { a: new Uint8Array(a.length), b: new Uint8Array(b.length) };
  let [i, j] = [a.length, b.length];
  while (i > 0 && j > 0) {
    const here = costs[i * width + j] ?? 0;
    const diagonal = costs[(i - 1) * width + j - 1] ?? 0;
    if (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) && here === diagonal) {
      matched.a[i - 1] = 1;
      matched.b[j - 1] = 1;
      i -= 1;
      j -= 1;
    } else if (here === diagonal + 1) {
      i -= 1;
      j -= 1;
    } else if (here === (costs[(i - 1) * width + j] ?? 0) + 1) i -= 1;
    else j -= 1;
  }
  return matched;
}

/** Edit distances of all pairs of prefixes, row by row. */
function costTable(a: string, b: string, width: number): Uint16Array {
  const costs = new Uint16Array((a.length + 1) * width);
  for (let j = 0; j <= b.length; j += 1) costs[j] = j;
  for (let i = 1; i <= a.length; i += 1) {
    const row = i * width;
    const above = row - width;
    costs[row] = i;
    for (let j = 1; j <= b.length; j += 1) {
      const change = (costs[above + j - 1] ?? 0) + (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1);
      const shorter = Math.min(costs[above + j] ?? 0, costs[row + j - 1] ?? 0) + 1;
      costs[row + j] = Math.min(change, shorter);
    }
  }
  return costs;
}
