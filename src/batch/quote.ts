/** Lines of a quote within a text, counted from 0. */
export interface QuoteLines {
  first: number;
  last: number;
}

/**
 * Finds a quote word for word, or with other white space between the words. Undefined when it is not there.
 * This is the quick look of a batch; an answer's citations are located by byte in `evidence/`.
 */
export function findQuote(text: string, quote: string): QuoteLines | undefined {
  const wanted = quote.trim();
  if (wanted === '') return undefined;
  const exact = text.indexOf(wanted);
  if (exact !== -1) return linesOf(text, exact, exact + wanted.length);
  const words = wanted.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  // Literals joined by white space only: linear, whatever the quote holds.
  const match = new RegExp(words.join('\\s+'), 'u').exec(text);
  return match === null ? undefined : linesOf(text, match.index, match.index + match[0].length);
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
