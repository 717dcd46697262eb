/** Lines of a quote within a text, counted from 0. */
export interface QuoteLines {
  first: number;
  last: number;
}

/**
 * Finds a quote word for word, or with other white space between the words. Undefined when it is not there.
 * This is the quick look of a batch; an answer's citations are located by byte in `evidence/`.
 *
 * @param near line, from 0, at which the quote is said to start: of several places this one is taken
 */
export function findQuote(text: string, quote: string, near?: number): QuoteLines | undefined {
  const wanted = quote.trim();
  if (wanted === '') return undefined;
  const offset = near === undefined ? 0 : offsetOfLine(text, near);
  const place = findFrom(text, wanted, offset);
  if (offset === 0 || (place !== undefined && countNewlines(text, offset, place.start) === 0)) {
    return place === undefined ? undefined : linesOf(text, place.start, place.end);
  }
  const first = findFrom(text, wanted, 0);
  return first === undefined ? undefined : linesOf(text, first.start, first.end);
}

function findFrom(text: string, wanted: string, from: number): { start: number; end: number } | undefined {
  const exact = text.indexOf(wanted, from);
  if (exact !== -1) return { start: exact, end: exact + wanted.length };
  const words = wanted.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  // Literals joined by white space only: linear, whatever the quote holds.
  const pattern = new RegExp(words.join('\\s+'), 'gu');
  pattern.lastIndex = from;
  const match = pattern.exec(text);
  return match === null ? undefined : { start: match.index, end: match.index + match[0].length };
}

/** Where a line starts; 0 for one that the text does not have. */
function offsetOfLine(text: string, line: number): number {
  let offset = 0;
  for (let at = 0; at < line; at += 1) {
    offset = text.indexOf('\n', offset) + 1;
    if (offset === 0) return 0;
  }
  return offset;
}

function linesOf(text: string, start: number, end: number): QuoteLines {
  const first = countNewlines(text, 0, start);
  return { first, last: first + countNewlines(text, start, end) };
}

function countNewlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
