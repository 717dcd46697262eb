import { escapeMarkdown, unescapeMarkdown } from '../text/index.ts';

/*
 * The content of an answer: Markdown that a model or a caller wrote and that some client will render. It is read
 * line by line: a full parser takes a second for the largest answer and overflows its stack on nested quotes.
 */

interface Range {
  start: number;
  end: number;
}

/** One sentence of prose. */
export interface Sentence extends Range {
  /** On one line, with its marks. */
  text: string;
  heading: boolean;
}

/** `[1]`, `[2, 3]`, `[4-6]`: marks of citations. */
const MARK = /\[(\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*)\]/g;
/** What opens and closes a code block; backticks behind it on its line make it inline code (CommonMark). */
const FENCE = /^[\s>]*(`{3,}(?=[^`]*$)|~{3,})/;
const SENTENCE =
  /\S.*?(?:[.!?]+["'”’)]*(?:\s*\[[\d,;\s–-]+\])*(?=\s|$)|[。！？]+(?:\s*\[[\d,;\s–-]+\])*|$)/gsu;
/** A full stop that ends no sentence. */
const ABBREVIATION =
  /(?:^|[\s(])(?:e\.g|i\.e|etc|cf|vs|approx|fig|dr|mrs?|ms|prof|sec|vol|pp?|ca|bzw|z\.b)\.$/iu;
const LIST_SIGN = /^\s*(?:(?:[-*•>#]+|\d+[.)])\s+)+/u;
/** Marks the place where a sentence was taken out; no sanitized text holds it. */
const CUT = '\u0000';

/** Content in which no image, link, link definition or HTML is left outside of code. */
export function inertMarkdown(content: string): string {
  return mapRanges(content, certainCode(content), escapeMarkdown);
}

/** The numbers of all marks in a text, in order, each once. */
export function marksIn(text: string): number[] {
  return [...new Set([...text.matchAll(MARK)].flatMap(([, list = '']) => expand(list)))];
}

/** Takes the brackets from marks in a text that brings none of its own. */
export function withoutMarks(text: string): string {
  return text.replace(MARK, '($1)');
}

/** An answer's content, split into prose, which the gate judges, and what is verbatim: code and verified quotes. */
export class AnswerContent {
  readonly #text: string;
  readonly #verbatim: Range[];

  /** @param quotes the words of all verified evidence */
  constructor(content: string, quotes: readonly string[]) {
    this.#text = content;
    this.#verbatim = verbatimRanges(content, quotes.map(folded));
  }

  /** All prose. What is verbatim is blank in it, so that offsets stay. */
  get prose(): string {
    return mapRanges(this.#text, this.#verbatim, undefined, (text) => text.replace(/[^\n]/g, ' '));
  }

  /** The numbers of all marks in the prose, in order, each once. */
  get marks(): number[] {
    return marksIn(this.prose);
  }

  /** The sentences of the prose, also those that go over several lines. */
  get sentences(): Sentence[] {
    const prose = this.prose;
    return blocksOf(prose).flatMap(({ start, end, heading }) =>
      sentencesIn(prose.slice(start, end)).map((range): Sentence => {
        const at = { start: start + range.start, end: start + range.end };
        return { ...at, heading, text: this.#text.slice(at.start, at.end).replace(/\s*\n[\s>]*/g, ' ') };
      }),
    );
  }

  /** The content without some sentences, and with other numbers in its marks; a mark without a number goes. */
  rewrite(gone: readonly Range[], numberOf: (mark: number) => number | undefined): string {
    const kept = this.#verbatim.filter(
      ({ start, end }) => !gone.some((cut) => start < cut.end && cut.start < end),
    );
    const ranges = [...kept, ...gone].sort((a, b) => a.start - b.start);
    const cut = mapRanges(
      this.#text,
      ranges,
      (text) => renumber(text, numberOf),
      (text, range) => (gone.includes(range) ? CUT : text),
    );
    const lines = cut.split(/(?<=\n)/).flatMap((line) => {
      if (!line.includes(CUT)) return [line];
      const rest = line.replaceAll(CUT, '');
      // A list or quote sign whose sentence went goes too.
      return /^[\s\-*•>#\d.)]*$/.test(rest) ? [] : [rest.replace(/(?<=\S) {2,}/g, ' ')];
    });
    return lines.join('').trim();
  }
}

/** Applies one function to what lies between ranges (in order, without overlap), another to the ranges. */
function mapRanges<R extends Range>(
  text: string,
  ranges: readonly R[],
  outside: (text: string) => string = (same) => same,
  inside: (text: string, range: R) => string = (same) => same,
): string {
  let out = '';
  let at = 0;
  for (const range of ranges) {
    out += outside(text.slice(at, range.start)) + inside(text.slice(range.start, range.end), range);
    at = range.end;
  }
  return out + outside(text.slice(at));
}

function* linesOf(text: string): Generator<Range & { text: string }> {
  let start = 0;
  for (const line of text.split(/(?<=\n)/)) {
    yield { start, end: start + line.length, text: line };
    start += line.length;
  }
}

/** Code blocks and inline code as a reader sees them, and block quotes that are words of verified evidence. */
function verbatimRanges(content: string, quotes: readonly string[]): Range[] {
  const ranges: Range[] = [];
  let fence: { start: number; mark: string } | undefined;
  let quote: Range | undefined;
  const endQuote = () => {
    if (quote === undefined) return;
    const words = folded(content.slice(quote.start, quote.end).replace(/^\s*>\s?/gm, ''));
    if (quotes.some((known) => known.includes(words))) ranges.push(quote);
    else ranges.push(...inlineCode(content, quote));
    quote = undefined;
  };
  for (const line of linesOf(content)) {
    const mark = FENCE.exec(line.text)?.[1];
    if (fence === undefined && mark === undefined && /^\s*>/.test(line.text)) {
      quote = { start: quote?.start ?? line.start, end: line.end };
      continue;
    }
    endQuote();
    if (fence !== undefined) {
      if (!mark?.startsWith(fence.mark) || line.text.trim() !== mark) continue;
      ranges.push({ start: fence.start, end: line.end });
      fence = undefined;
    } else if (mark !== undefined) fence = { start: line.start, mark };
    else ranges.push(...inlineCode(content, line));
  }
  endQuote();
  if (fence !== undefined) ranges.push({ start: fence.start, end: content.length });
  return ranges;
}

function inlineCode(content: string, { start, end }: Range): Range[] {
  return [...content.slice(start, end).matchAll(/`[^`\n]+`/g)].map(({ index, 0: code }) => ({
    start: start + index,
    end: start + index + code.length,
  }));
}

/**
 * Code that every renderer takes for code, so that nothing in it can come alive: blocks whose fences start in the
 * first column, and backticks that close on their line. What could be read in two ways is not in it.
 */
function certainCode(content: string): Range[] {
  const ranges: Range[] = [];
  let fence: { start: number; mark: string } | undefined;
  /** A backtick before this line, in its paragraph, may be open still. */
  let open = false;
  for (const line of linesOf(content)) {
    const indented = FENCE.exec(line.text)?.[1];
    const mark = indented !== undefined && line.text.startsWith(indented) ? indented : undefined;
    if (fence !== undefined) {
      const closing = /^ {0,3}(`{3,}|~{3,})\s*$/.exec(line.text)?.[1];
      if (!closing?.startsWith(fence.mark)) continue;
      ranges.push({ start: fence.start, end: line.end });
      fence = undefined;
    } else if (mark !== undefined) fence = { start: line.start, mark };
    // It belongs to a list or a quote, and ends where that ends: from here on no fence is certain.
    else if (indented !== undefined) return ranges;
    else if (line.text.trim() === '') open = false;
    else {
      const spans: Range[] | undefined = open ? undefined : closedSpans(line.text);
      open = spans === undefined;
      for (const { start, end } of spans ?? [])
        ranges.push({ start: line.start + start, end: line.start + end });
    }
  }
  return fence === undefined ? ranges : [...ranges, { start: fence.start, end: content.length }];
}

/** The inline code of a line; undefined when a backtick stays open, or what is before it may take it in. */
function closedSpans(line: string): Range[] | undefined {
  // A bar splits a table's cells, and an address goes up to the next space.
  if (/\|.*`|`.*\||(?:\/\/|www\.|@)[^\s`]*`/i.test(line)) return undefined;
  const spans: Range[] = [];
  for (let at = 0; at < line.length; ) {
    const run = /^`*/.exec(line.slice(at))?.[0] ?? '';
    if (run === '') {
      at += line.charAt(at) === '\\' ? 2 : 1;
      continue;
    }
    const close = new RegExp(`(?<!\`)${run}(?!\`)`).exec(line.slice(at + run.length));
    if (close === null) return undefined;
    const end = at + run.length + close.index + run.length;
    spans.push({ start: at, end });
    at = end;
  }
  return spans;
}

/** Paragraphs, list items, headings and rows of tables, without the sign that starts them. */
function blocksOf(prose: string): (Range & { heading: boolean })[] {
  const blocks: (Range & { heading: boolean })[] = [];
  let current: (Range & { heading: boolean }) | undefined;
  for (const { start, end, text } of linesOf(prose)) {
    const sign = LIST_SIGN.exec(text)?.[0] ?? '';
    const heading = /^\s*#/.test(sign);
    const goesOn = sign === '' || /^[\s>]*$/.test(sign);
    if (text.trim() === '') current = undefined;
    else if (current === undefined || !goesOn || text.trimStart().startsWith('|')) {
      current = { start: start + sign.length, end, heading };
      blocks.push(current);
    } else current.end = end;
    if (heading) current = undefined;
  }
  return blocks;
}

function sentencesIn(block: string): Range[] {
  const found: Range[] = [];
  for (const { index, 0: text } of block.matchAll(SENTENCE)) {
    const last = found.at(-1);
    const end = index + text.trimEnd().length;
    if (last !== undefined && ABBREVIATION.test(block.slice(last.start, last.end))) last.end = end;
    else found.push({ start: index, end });
  }
  return found;
}

function renumber(text: string, numberOf: (mark: number) => number | undefined): string {
  return text.replace(MARK, (_mark, list: string) => {
    const numbers = expand(list).flatMap((mark) => numberOf(mark) ?? []);
    return numbers.length === 0 ? '' : `[${numbers.join(', ')}]`;
  });
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
  return unescapeMarkdown(text).replace(/\s+/g, ' ').trim();
}
