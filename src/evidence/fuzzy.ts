import search from 'approx-string-match';
import type { TextSpan } from './span-edges.ts';

/** Edits that a near match may need, as a share of the quote's length, and the shortest quote that may. */
const MAX_EDIT_SHARE = 0.1;
const MIN_FUZZY_LENGTH = 24;
const MAX_FUZZY_LENGTH = 1000;
/** Characters of a piece: short enough that many survive, long enough that few stand elsewhere. */
const PIECE = 8;
/** Places of one piece that are followed; a piece more common than this is taken to be everywhere. */
const MAX_PLACES = 20_000;

export interface NearMatch extends TextSpan {
  edits: number;
}

/**
 * The places where `pattern` stands in `text` with at most a tenth of its characters edited, fewest edits first.
 *
 * The pattern is cut into pieces. An edit breaks at most one of them, so all but `maxEdits` pieces still stand
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

/** Where a piece stands; undefined when it stands nearly everywhere. */
function placesOf(text: string, piece: string): number[] | undefined {
  const places: number[] = [];
  for (let at = text.indexOf(piece); at !== -1; at = text.indexOf(piece, at + 1)) {
    places.push(at);
    if (places.length > MAX_PLACES) return undefined;
  }
  return places;
}
