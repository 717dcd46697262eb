import { kindOf } from './ingest/read-document.ts';

/** A piece of a text that a person can judge by itself: a paragraph, an item with its lead-in, a row, code with its sentence. */
export interface Passage {
  /** UTF-16 offsets, end exclusive; no white space at either end. */
  start: number;
  end: number;
  /** What it is under: the headings above it, its lead-in, the head of its table. Not part of the span. */
  context: string;
}

const NO_BYTES = Buffer.alloc(0);
const MAX_LINES = 20;
const MAX_CHARACTERS = 1600;
/** Neighbours of a section are joined up to this size: a line by itself can rarely be judged. */
const MIN_CHARACTERS = 360;
const MAX_CONTEXT = 400;
/** Of a line that is longer no more is looked at to see what it is. */
const LOOKED_AT = 300;

type Kind = 'text' | 'item' | 'row' | 'code' | 'heading';

interface Line {
  start: number;
  /** Without the line end. */
  end: number;
  /** `pause`: the frame of a comment without words, where one may be cut. */
  kind: Kind | 'blank' | 'pause';
  /** Of a heading, from 1. */
  level: number;
}

interface Block {
  kind: Kind;
  lines: readonly Line[];
  /** Index of the heading it is under, in the list of blocks; -1 for none. */
  under: number;
  level: number;
  /** Whether a blank line is before it. */
  apart: boolean;
  /** Index of the first of the blocks in a row that are of one kind: of its list, of its table. */
  first: number;
  /** A heading, or a sentence that ends in a colon. */
  announces: boolean;
}

/** The frame of a comment in front of what it says. */
const COMMENT = /^\s*(?:\/\*+!?|\*(?!\*|\/)|\/\/+!?|#(?!\w)|--(?=\s)|;;+|<!--)?\s*/;
const COMMENT_END = /(?:\*+\/|-->)$/;
/** Nothing but the frame of a comment, or a rule. */
const FRAME = /^[\s*/#=~_+|:<>!-]*$/;
const FENCE = /^\s*(?:```|~~~)/;
const MARKDOWN_HEADING = /^(#{1,6})\s+\S/;
/** `2.1 Naming`, `Chapter 3: Utilities`, `3. The swap file`; a single number also begins an item, so that one must be short. */
const NUMBERED_HEADING =
  /^(?:[Cc]hapter\s+\d+\b.{0,70}|\d+(?:\.\d+)+\.?\s+\p{Lu}[^.;]{0,70}|\d+\.?(?:\s+\p{Lu}\S*)(?:\s+[^\s.;]+){0,4})$/u;
const UNDERLINE = /^\s*([=\-~^"#*+])\1{2,}\s*$/;
const ITEM = /^\s*(?:[-*+•‣●◦]|\d{1,3}[.)]|\(?[a-z][.)])\s+\S/;
const ROW = /^\s*\|.*\||\t.*\t|\S {3,}\S.* {3,}\S/;
const CODE = /^(?: {4,}|\t)\S|[;{}]\s*$|^\s*[)\]}]+[,;]?\s*$|^\s*(?:[$>] )/;

/** Splits a text into its passages, in order; every word lies in one. @param source its path: code has no Markdown in it */
export function passagesOf(text: string, source: string): Passage[] {
  const blocks = blocksOf(text, linesOf(text, kindOf(source, NO_BYTES) === 'code'));
  const passages: Passage[] = [];
  for (let at = 0; at < blocks.length; ) {
    const to = endOfPassage(blocks, at);
    passages.push(...cut(text, blocks, at, to));
    at = to;
  }
  return passages;
}

function linesOf(text: string, isCode: boolean): Line[] {
  const lines: Line[] = [];
  let fenced = false;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const raw = text.slice(start, Math.min(end, start + LOOKED_AT));
    const line: Line = { start, end, kind: 'text', level: 0 };
    const markdown = isCode ? null : MARKDOWN_HEADING.exec(raw);
    const plain = raw.trim();
    const body = plain.replace(COMMENT, '').replace(COMMENT_END, '').trimEnd();
    if (FENCE.test(raw)) {
      fenced = !fenced;
      line.kind = 'code';
    } else if (fenced) line.kind = 'code';
    else if (markdown !== null) {
      line.kind = 'heading';
      line.level = markdown[1]?.length ?? 1;
    } else if (body === '' || FRAME.test(raw)) {
      line.kind = /[*/#;>]/.test(plain) && !/[=~_+|]|([-*/#;])\1{3}/.test(plain) ? 'pause' : 'blank';
      const before = lines.at(-1);
      const rule = UNDERLINE.exec(raw)?.[1];
      // A line that is underlined is a heading: Markdown, reStructuredText, plain text.
      if (rule !== undefined && before?.kind === 'text' && before.end - before.start < 100) {
        const above = lines.at(-2)?.kind ?? 'blank';
        if (above === 'blank' || above === 'heading') {
          before.kind = 'heading';
          before.level = rule === '=' ? 1 : rule === '-' ? 2 : 3;
        }
      }
    } else if (!isCode && NUMBERED_HEADING.test(plain) && !/(?:\. ?){4}/.test(plain)) {
      line.kind = 'heading';
      line.level = plain.split(/\s/)[0]?.replace(/\.$/, '').split('.').length ?? 1;
    } else if (ITEM.test(raw) && !/^\s*\*(?:\s\S|\/)/.test(raw)) line.kind = 'item';
    else if (ITEM.test(body)) line.kind = 'item';
    else if (ROW.test(raw)) line.kind = 'row';
    else if (CODE.test(raw) && body === plain) line.kind = 'code';
    lines.push(line);
    start = end + 1;
  }
  return lines;
}

/** Lines that belong together: up to a blank line, the next item or heading; long ones are cut at the end of a sentence. */
function blocksOf(text: string, lines: readonly Line[]): Block[] {
  const blocks: Block[] = [];
  const headings: { level: number; index: number }[] = [];
  let open: Line[] = [];
  let apart = true;
  const add = (kind: Kind, own: readonly Line[], level: number, announces: boolean) => {
    const under = headings.at(-1)?.index ?? -1;
    const before = blocks.at(-1);
    const goesOn = before?.kind === kind && before.under === under;
    const first = goesOn ? before.first : blocks.length;
    blocks.push({ kind, lines: own, under, level, apart, first, announces });
    apart = false;
  };
  const close = () => {
    const [first] = open;
    const last = open.at(-1);
    if (first !== undefined && last !== undefined && first.kind !== 'blank' && first.kind !== 'pause') {
      const most = (kind: Kind) => open.filter((line) => line.kind === kind).length * 2 > open.length;
      const kind = first.kind === 'item' ? 'item' : most('row') ? 'row' : most('code') ? 'code' : 'text';
      add(kind, open, 0, /[:：]\s*$/.test(text.slice(Math.max(last.start, last.end - 8), last.end)));
    }
    open = [];
  };
  for (const line of lines) {
    if (line.kind === 'blank') {
      close();
      apart = true;
      continue;
    }
    if (line.kind === 'heading') {
      close();
      while ((headings.at(-1)?.level ?? 0) >= line.level) headings.pop();
      add('heading', [line], line.level, true);
      headings.push({ level: line.level, index: blocks.length - 1 });
      continue;
    }
    const size = line.end - (open[0]?.start ?? line.start);
    if (line.kind === 'pause') {
      if (open.length >= MAX_LINES / 2 || size > MAX_CHARACTERS / 2) close();
      else if (open.length > 0) open.push(line);
      continue;
    }
    const before = open.at(-1);
    const full = open.length >= MAX_LINES || size > MAX_CHARACTERS;
    const sentence = open.length >= MAX_LINES / 2 && before !== undefined && endsSentence(text, before);
    if (line.kind === 'item' || full || (sentence && open[0]?.kind !== 'item')) close();
    open.push(line);
  }
  close();
  return blocks;
}

function endsSentence(text: string, line: Line): boolean {
  return /[.!?:;}。！？]["'”’)\]]*\s*$/.test(text.slice(Math.max(line.start, line.end - 8), line.end));
}

/** The end of the passage that begins with a block: with what it announces, and small neighbours of its section. */
function endOfPassage(blocks: readonly Block[], from: number): number {
  const [first] = blocks[from]?.lines ?? [];
  let lines = 0;
  let to = from;
  for (; to < blocks.length; to += 1) {
    const [before, next] = [blocks[to - 1], blocks[to]];
    if (first === undefined || next === undefined) break;
    lines += next.lines.length + (next.apart ? 1 : 0);
    if (to > from && before !== undefined) {
      if (lines > MAX_LINES || endOf(next) - first.start > MAX_CHARACTERS) break;
      if (!belongsTo(before, next, endOf(before) - first.start)) break;
    }
  }
  return to;
}

/** @param size of the passage that ends with `before` */
function belongsTo(before: Block, next: Block, size: number): boolean {
  // A heading alone above another one says nothing yet.
  if (next.kind === 'heading') return before.kind === 'heading' && next.level > before.level;
  if (before.kind === 'heading' || before.announces) return true;
  if (before.kind === next.kind && !next.apart && next.kind !== 'text') return true;
  return size < MIN_CHARACTERS && endOf(next) - startOf(next) < MIN_CHARACTERS;
}

function startOf({ lines }: Block): number {
  return lines[0]?.start ?? 0;
}

function endOf({ lines }: Block): number {
  return lines.at(-1)?.end ?? 0;
}

/** The blocks of a passage as spans; a single block that is too long is cut. */
function cut(text: string, blocks: readonly Block[], from: number, to: number): Passage[] {
  const lines = blocks.slice(from, to).flatMap((block) => block.lines);
  const first = blocks[from];
  const [start, end] = trimmed(text, lines[0]?.start ?? 0, lines.at(-1)?.end ?? 0);
  if (first === undefined || start >= end) return [];
  const context = contextOf(text, blocks, from);
  if (end - start <= MAX_CHARACTERS * 1.25) return [{ start, end, context }];
  const pieces: Passage[] = [];
  for (let at = start; at < end; ) {
    const [pieceStart, pieceEnd] = trimmed(
      text,
      at,
      Math.min(end, breakBefore(text, at + MAX_CHARACTERS, at)),
    );
    if (pieceStart < pieceEnd) pieces.push({ start: pieceStart, end: pieceEnd, context });
    at = Math.max(pieceEnd, at + 1);
  }
  return pieces;
}

/** The last sentence end, else white space, before an offset; never inside a code point. */
function breakBefore(text: string, at: number, from: number): number {
  if (at >= text.length) return text.length;
  const half = text.slice(from + (at - from) / 2, at);
  const sentence = Math.max(...['. ', '.\n', '。', '! ', '? ', '; '].map((end) => half.lastIndexOf(end)));
  const space = sentence === -1 ? half.search(/\s\S*$/) : sentence + 1;
  const cutAt = space <= 0 ? at : at - half.length + space;
  return /^[\udc00-\udfff]/.test(text.charAt(cutAt)) ? cutAt - 1 : cutAt;
}

function trimmed(text: string, from: number, to: number): [number, number] {
  const piece = text.slice(from, to);
  const start = from + (piece.length - piece.trimStart().length);
  return [start, Math.max(start, from + piece.trimEnd().length)];
}

function contextOf(text: string, blocks: readonly Block[], index: number): string {
  const parts: string[] = [];
  const textOf = (block: Block | undefined) =>
    block === undefined ? '' : text.slice(block.lines[0]?.start, block.lines.at(-1)?.end).trim();
  for (let at = blocks[index]?.under ?? -1; at !== -1; at = blocks[at]?.under ?? -1)
    parts.unshift(textOf(blocks[at]));
  const kind = blocks[index]?.kind;
  if (kind === 'item' || kind === 'row' || kind === 'code') {
    const first = blocks[index]?.first ?? index;
    // The first of the rows is the head of the table.
    if (kind === 'row' && first < index) parts.push(textOf(blocks[first]));
    const before = blocks[first - 1];
    if (before?.kind === 'text' && before.under === blocks[index]?.under)
      parts.push(textOf(before).slice(-200));
  }
  return parts.join('\n').slice(-MAX_CONTEXT);
}
