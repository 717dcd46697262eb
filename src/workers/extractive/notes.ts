import { ANSWER_LIMITS } from '../../contracts/index.ts';
import { oneLine } from '../../text/index.ts';
import type { Passage } from './passages.ts';
import type { Term } from './term.ts';

const ABOVE = 'its heading or file name holds ';

/** What the reader notes on a passage: words of the question, and like them, that it and its headings hold. */
export function noteOf({
  matched,
  like,
  fromHeading,
}: Pick<Passage, 'matched' | 'like' | 'fromHeading'>): string {
  const own = matched.length === 0 ? [] : [`holds ${labels(matched)}`];
  const above = fromHeading.length === 0 ? [] : [`${ABOVE}${labels(fromHeading)}`];
  const other = like.length === 0 ? [] : [`has a word like ${labels(like)}`];
  const note = [...own, ...other, ...above].join('; ');
  return cut(`${note.charAt(0).toUpperCase()}${note.slice(1)}.`, ANSWER_LIMITS.note);
}

/** The words that by such notes stand above a passage only. */
export function aboveIn(notes: readonly string[]): string {
  return notes
    .map((note) => {
      const at = note.toLowerCase().indexOf(ABOVE);
      return at === -1 ? '' : note.slice(at + ABOVE.length);
    })
    .join(' ');
}

export function labels(terms: readonly Term[]): string {
  return terms.map(({ label }) => `"${oneLine(label)}"`).join(', ');
}

/** Shortens a sentence of ours; never between the two halves of a character. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
