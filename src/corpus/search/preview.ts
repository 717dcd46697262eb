import { countNewlines, oneLine, splitsPair } from '../../text/index.ts';

/** About how many characters a preview has. */
const PREVIEW_CHARACTERS = 320;
/** How far apart matches may lie to be shown together. */
const FOCUS_CHARACTERS = 200;

/** A place in a chunk that bears on the question. */
export interface Match {
  start: number;
  end: number;
  /** Of which thing asked for; a second match of the same thing adds little. */
  group: number;
  weight: number;
}

export interface Preview {
  text: string;
  lineStart: number;
  lineEnd: number;
}

/**
 * The stretch of a chunk where most of what is asked for stands together, with context on both sides. White
 * space is folded and control characters are taken out: it is shown, not cited.
 *
 * @param matches in the order of the text
 * @param firstLine the chunk's first line in its source
 */
export function previewOf(chunk: string, matches: readonly Match[], firstLine: number): Preview {
  const { start, end } = focusOf(matches);
  const room = Math.max(0, PREVIEW_CHARACTERS - (end - start));
  let from = Math.max(0, start - (room >> 1));
  let to = Math.min(chunk.length, from + Math.max(PREVIEW_CHARACTERS, end - start));
  from = Math.max(0, Math.min(from, to - PREVIEW_CHARACTERS));
  from = from === 0 ? 0 : wordStart(chunk, from, start);
  to = to === chunk.length ? to : wordEnd(chunk, to, end);
  const shown = oneLine(chunk.slice(from, to));
  const lineStart = firstLine + countNewlines(chunk, 0, from);
  return {
    text: `${from > 0 ? '…' : ''}${shown}${to < chunk.length ? '…' : ''}`,
    lineStart,
    lineEnd: lineStart + countNewlines(chunk.slice(from, to).trimEnd()),
  };
}

function focusOf(matches: readonly Match[]): { start: number; end: number } {
  let best = { start: 0, end: 0, weight: 0 };
  for (const [index, first] of matches.entries()) {
    const groups = new Map<number, number>();
    let end = first.end;
    for (let at = index; at < matches.length; at += 1) {
      const match = matches[at];
      if (match === undefined || match.end - first.start > FOCUS_CHARACTERS) break;
      groups.set(match.group, Math.max(groups.get(match.group) ?? 0, match.weight));
      end = Math.max(end, match.end);
    }
    let weight = 0;
    for (const part of groups.values()) weight += part;
    if (weight > best.weight) best = { start: first.start, end, weight };
  }
  return { start: best.start, end: Math.min(best.end, best.start + PREVIEW_CHARACTERS) };
}

/** The next place at which no word is cut, not past the first match. */
function wordStart(text: string, from: number, limit: number): number {
  for (let at = from; at < limit && at < from + 30; at += 1) if (/\s/.test(text[at - 1] ?? '')) return at;
  return splitsPair(text, from) ? from + 1 : from;
}

function wordEnd(text: string, to: number, limit: number): number {
  for (let at = to; at > limit && at > to - 30; at -= 1) if (/\s/.test(text[at] ?? '')) return at;
  return splitsPair(text, to) ? to - 1 : to;
}
