import search from 'approx-string-match';
import type { TextSpan } from './span-edges.ts';

/** Edits that a near match may need, as a share of the quote's length, and the shortest quote that may. */
export const MAX_EDIT_SHARE = 0.1;
export const MIN_FUZZY_LENGTH = 24;
export const MAX_FUZZY_LENGTH = 1000;
/** Places of one piece that are followed; a piece more common than this says nothing. */
const MAX_PLACES = 500;

export interface NearMatch extends TextSpan {
  edits: number;
}

/**
 * The places where `pattern` stands in `text` with at most a tenth of its characters edited, fewest edits first.
 *
 * The pattern is cut into one piece more than there may be edits: at least one piece is then untouched
 * (pigeonhole), so plain `indexOf` finds every window worth searching, and the rest of a large text is never
 * searched. Nothing is lost by it, except where every untouched piece is commoner than `MAX_PLACES`.
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
  const pieces = maxEdits + 1;
  const starts: number[] = [];
  for (let piece = 0; piece < pieces; piece += 1) {
    const from = Math.floor((piece * pattern.length) / pieces);
    const to = Math.floor(((piece + 1) * pattern.length) / pieces);
    const places = placesOf(text, pattern.slice(from, to));
    for (const place of places) starts.push(place - from);
  }
  starts.sort((a, b) => a - b);
  const windows: TextSpan[] = [];
  for (const start of starts) {
    const window = {
      start: Math.max(0, start - maxEdits),
      end: Math.min(text.length, start + pattern.length + maxEdits),
    };
    const last = windows.at(-1);
    if (last !== undefined && window.start <= last.end) last.end = Math.max(last.end, window.end);
    else windows.push(window);
  }
  return windows;
}

function placesOf(text: string, piece: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(piece); at !== -1; at = text.indexOf(piece, at + 1)) {
    places.push(at);
    if (places.length > MAX_PLACES) return [];
  }
  return places;
}
