/*
 * The content of an answer, split into prose, which the gate judges, and verbatim parts, which it leaves alone:
 * code, and block quotes that are the words of verified evidence.
 */

/** A stretch of an answer's content. Joined, the stretches are the content again. */
export interface Stretch {
  text: string;
  prose: boolean;
}

/** `[1]`, `[2, 3]`, `[4-6]`: marks of citations. */
const MARK = /\[(\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*)\]/g;

/** What opens and closes a code block; backticks behind it on its line make it inline code (CommonMark). */
const FENCE = /^\s*(`{3,}(?=[^`]*$)|~{3,})/;

/** Splits content into stretches. @param quotes the words of all verified evidence */
export function stretchesOf(content: string, quotes: readonly string[]): Stretch[] {
  const known = quotes.map(folded);
  const stretches: Stretch[] = [];
  let block: string[] = [];
  let fence: string | undefined;
  const endBlock = () => {
    if (block.length === 0) return;
    const words = folded(block.map((line) => line.replace(/^\s*>\s?/, '')).join(' '));
    const verbatim = known.some((quote) => quote.includes(words));
    for (const line of block) push(stretches, line, !verbatim);
    block = [];
  };
  for (const line of content.split(/(?<=\n)/)) {
    const mark = FENCE.exec(line)?.[1];
    if (fence === undefined && mark === undefined && /^\s*>/.test(line)) {
      block.push(line);
      continue;
    }
    endBlock();
    if (fence !== undefined || mark !== undefined) push(stretches, line, false);
    else for (const part of line.split(/(`[^`\n]+`)/)) push(stretches, part, !/^`.*`$/.test(part));
    if (fence === undefined) fence = mark;
    else if (mark?.startsWith(fence) && line.trim() === mark) fence = undefined;
  }
  endBlock();
  return stretches;
}

/** The numbers of all marks in the prose, in order, each once. */
export function marksIn(stretches: readonly Stretch[]): number[] {
  const numbers = new Set<number>();
  for (const { text, prose } of stretches)
    if (prose) for (const [, list] of text.matchAll(MARK)) for (const n of expand(list ?? '')) numbers.add(n);
  return [...numbers];
}

/** Rewrites all marks in the prose; a number that maps to undefined goes. */
export function renumberMarks(
  stretches: readonly Stretch[],
  to: (n: number) => number | undefined,
): Stretch[] {
  const replace = (text: string) =>
    text.replace(MARK, (_mark, list: string) => {
      const numbers = expand(list)
        .map(to)
        .filter((n) => n !== undefined);
      return numbers.length === 0 ? '' : `[${numbers.join(', ')}]`;
    });
  return stretches.map(({ text, prose }) => ({ text: prose ? replace(text) : text, prose }));
}

/** Takes the brackets from marks in a text that brings none of its own. */
export function withoutMarks(text: string): string {
  return text.replace(MARK, '($1)');
}

function push(stretches: Stretch[], text: string, prose: boolean): void {
  const last = stretches.at(-1);
  if (last?.prose === prose) last.text += text;
  else if (text !== '') stretches.push({ text, prose });
}

function expand(list: string): number[] {
  return list.split(/[,;]/).flatMap((part) => {
    const [from, to] = part.split(/[–-]/).map(Number);
    if (from === undefined) return [];
    if (to === undefined || to < from || to - from > 500) return to === undefined ? [from] : [from, to];
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

function folded(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
