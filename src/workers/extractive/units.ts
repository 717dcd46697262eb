import { extname } from 'node:path';

/** The smallest piece of a chunk that can be quoted: a sentence, heading, list item, table row or line of code. */
export interface Unit {
  /** Span in the chunk's text, UTF-16, end exclusive; no white space at either end. */
  start: number;
  end: number;
  /** Units of one block are neighbours in running text. */
  block: number;
  kind: 'sentence' | 'heading' | 'item' | 'row' | 'line';
  /** Index of the nearest heading above, in `Layout.headings`; -1 for none. */
  heading: number;
  /** Blocks of one small section or doc comment: they are quoted together. -1 for none. */
  group: number;
}

/** A run of lines that belong together. */
export interface Block {
  start: number;
  end: number;
  kind: Unit['kind'];
  heading: number;
  group: number;
}

/** A chunk as blocks, in order. */
export interface Layout {
  blocks: Block[];
  /** Spans of headings with the path of those above them, outermost first. */
  headings: { start: number; end: number; above: number }[];
}

const FENCE = /^\s{0,3}(?:>\s?)*(`{3,}|~{3,})/;
const HEADING = /^\s{0,3}(#{1,6})\s+\S/;
const ITEM = /^\s*(?:>\s?)*(?:[-*+•‣]|\d{1,3}[.)]|[a-zA-Z][.)])\s+\S/;
const ROW = /^\s*\|.*\|\s*$/;
const RULE = /^[\s|:=*_~+-]+$/;
const SETEXT = /^\s{0,3}(=+|-{2,})\s*$/;
/** A record of a log: it starts with a time, a date, a level or a bracketed tag. */
const RECORD =
  /^\s*(?:\[|<\d|\d{4}-\d\d|\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:|(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b|\{")/;
const CODE_END =
  /[;{}]\s*$|^\s*(?:[\w$.]+\s*[:=]|[\])}]|<\/?\w|import |from |def |fn |func |class |return |const |let |var |#include|\/\/|\/?\*)/;
const LINE_KINDS = new Set(
  `.c .cc .cpp .cs .css .csv .go .h .hpp .ini .java .js .json .jsonl .jsx .kt .log .lua .mjs .cjs .php .pl .ps1 .py .rb .rs .scss
  .sh .sql .swift .toml .ts .tsv .tsx .xml .yaml .yml .conf .cfg .properties .env .proto .scala .zig`.split(
    /\s+/,
  ),
);

/** Splits a chunk into blocks along its lines: of Markdown, or of code with its comments, tables and logs. */
export function layoutOf(text: string, source: string): Layout {
  const lineMode = LINE_KINDS.has(extname(source).toLowerCase());
  const layout = lineMode ? codeLayout(text) : proseLayout(text);
  groupSections(layout, lineMode);
  return layout;
}

function proseLayout(text: string): Layout {
  const layout: Layout = { blocks: [], headings: [] };
  const levels: { level: number; index: number }[] = [];
  let fence = fenceAtStart(text);
  let open: (Block & { lines: number; records: number; code: number; starts: number[] }) | undefined;
  const current = () => levels.at(-1)?.index ?? -1;
  const push = (kind: Unit['kind'], start: number, end: number) => {
    layout.blocks.push({ start, end, kind, heading: current(), group: -1 });
  };
  const close = () => {
    if (open === undefined) return;
    const { start, end, kind, lines, records, code, starts } = open;
    open = undefined;
    // Lines of a log or of code are no running text, whatever the file is called.
    if (kind === 'sentence' && lines > 1 && (records * 2 > lines || code * 2 > lines)) {
      for (const [index, lineStart] of starts.entries()) push('line', lineStart, starts[index + 1] ?? end);
    } else push(kind, start, end);
  };
  const addHeading = (level: number, start: number, end: number) => {
    while ((levels.at(-1)?.level ?? 0) >= level) levels.pop();
    const above = current();
    layout.headings.push({ start, end, above });
    layout.blocks.push({ start, end, kind: 'heading', heading: above, group: -1 });
    levels.push({ level, index: layout.headings.length - 1 });
  };

  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline + 1;
    const line = text.slice(start, Math.min(end, start + 400));
    const mark = FENCE.exec(line)?.[1];
    if (fence !== undefined) {
      if (mark?.startsWith(fence)) fence = undefined;
      else if (line.trim() !== '') push('line', start, end);
    } else if (mark !== undefined) {
      close();
      fence = mark;
    } else if (line.trim() === '') close();
    else {
      const level = HEADING.exec(line)?.[1]?.length;
      if (level !== undefined) {
        close();
        addHeading(level, start, end);
      } else if (open?.lines === 1 && open.kind === 'sentence' && SETEXT.test(line)) {
        const { start: from, end: to } = open;
        open = undefined;
        addHeading(line.includes('=') ? 1 : 2, from, to);
      } else if (RULE.test(line)) close();
      else if (ROW.test(line)) {
        close();
        push('row', start, end);
      } else {
        const item = ITEM.test(line);
        if (item) close();
        open ??= {
          start,
          end,
          kind: item ? 'item' : 'sentence',
          heading: -1,
          group: -1,
          lines: 0,
          records: 0,
          code: 0,
          starts: [],
        };
        open.end = end;
        open.lines += 1;
        open.starts.push(start);
        if (RECORD.test(line)) open.records += 1;
        if (CODE_END.test(line)) open.code += 1;
      }
    }
    start = end;
  }
  close();
  return layout;
}

/** The fence that a chunk begins inside of: its first fence closes one, since the next opens one that names a language. */
function fenceAtStart(text: string): string | undefined {
  const fences = text.matchAll(/^\s{0,3}(?:>\s?)*(`{3,}|~{3,})[ \t]*(\S?)/gm);
  const [first, second] = [fences.next().value, fences.next().value];
  return first?.[2] === '' && second !== undefined && second[2] !== '' ? first[1] : undefined;
}

const COMMENT_OPENS = /^\s*(?:\/\*|<!--)/;
const COMMENT_ENDS = /\*\/|-->/;
const COMMENT_LINE = /^\s*(?:\/\/|#(?=\s)|--(?=\s)|;;)/;
/** A line of a comment that holds nothing but its frame. */
const COMMENT_FRAME = /^\s*(?:\/?\*+\/?|\/\/|#|--)?\s*$/;

/** Code is read line by line; what a comment says is prose, and what it stands above is its heading. */
function codeLayout(text: string): Layout {
  const layout: Layout = { blocks: [], headings: [] };
  let comment: { start: number; end: number; closed: boolean; lines: boolean; fence: boolean }[] = [];
  let inside = false;
  const flush = (declaration: { start: number; end: number } | undefined) => {
    if (comment.length === 0) return;
    let heading = -1;
    if (declaration !== undefined) heading = layout.headings.push({ ...declaration, above: -1 }) - 1;
    for (const { start, end, fence } of comment)
      layout.blocks.push({ start, end, kind: fence ? 'line' : 'sentence', heading, group: -1 });
    comment = [];
  };
  let paragraph: { start: number; end: number } | undefined;
  let fenced = false;
  const closeParagraph = () => {
    if (paragraph !== undefined) comment.push({ ...paragraph, closed: true, lines: false, fence: fenced });
    paragraph = undefined;
  };
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline + 1;
    const line = text.slice(start, Math.min(end, start + 400));
    const opens: boolean = !inside && COMMENT_OPENS.test(line);
    if (inside || opens || COMMENT_LINE.test(line)) {
      const body = trimmedComment(text, start, end);
      if (COMMENT_FRAME.test(line) || body === undefined) closeParagraph();
      else if (/^(?:```|~~~)/.test(text.slice(body.start, body.end))) {
        closeParagraph();
        fenced = !fenced;
      } else if (/^@/.test(text.slice(body.start, body.end)) || fenced) {
        closeParagraph();
        paragraph = body;
        closeParagraph();
      } else paragraph = { start: paragraph?.start ?? body.start, end: body.end };
      if (opens || inside) inside = !COMMENT_ENDS.test(opens ? line.replace(COMMENT_OPENS, '') : line);
      if (!inside && (opens || COMMENT_ENDS.test(line))) {
        closeParagraph();
        fenced = false;
      }
    } else if (line.trim() !== '') {
      closeParagraph();
      flush({ start, end });
      layout.blocks.push({ start, end, kind: 'line', heading: -1, group: -1 });
    } else closeParagraph();
    start = end;
  }
  closeParagraph();
  flush(undefined);
  return layout;
}

/** What a line of a comment says, without its signs; undefined when it says nothing. */
function trimmedComment(
  text: string,
  start: number,
  end: number,
): { start: number; end: number } | undefined {
  const line = text.slice(start, end);
  const from = /^\s*(?:\/\*+|<!--|\*(?!\/)|\/\/+|#+|--|;;)?\s*/.exec(line)?.[0].length ?? 0;
  const plain = line.trimEnd();
  const to = (/\*\/$|-->$/.test(plain) ? plain.replace(/(?:\*\/|-->)$/, '').trimEnd() : plain).length;
  return from < to ? { start: start + from, end: start + to } : undefined;
}

/** A small section with its heading, or a doc comment with what it describes, says its thing as a whole. */
const MAX_GROUP = 300;

function groupSections(layout: Layout, code: boolean): void {
  const { blocks } = layout;
  for (let from = 0; from < blocks.length; ) {
    const heading = blocks[from]?.heading ?? -1;
    let to = from;
    while (blocks[to]?.kind === 'sentence' && blocks[to]?.heading === heading) to += 1;
    if (to === from || heading === -1) {
      from = Math.max(to, from + 1);
      continue;
    }
    // A section may go on with items, rows or code: then it is no small one.
    const whole = code || blocks[to] === undefined || blocks[to]?.kind === 'heading';
    const named = code ? [from, to + 1] : [from - 1, to];
    for (const [first = from, last = to] of [named, [from, to]]) {
      const size = (blocks[last - 1]?.end ?? Number.POSITIVE_INFINITY) - (blocks[first]?.start ?? 0);
      if (!whole || first < 0 || size > MAX_GROUP || last - first < 2) continue;
      for (const block of blocks.slice(first, last)) block.group = from;
      break;
    }
    from = to;
  }
}

/** Abbreviations that end in a full stop without ending a sentence. */
const ABBREVIATION =
  /(?:^|[\s(["'])(?:e\.g|i\.e|cf|vs|al|mr|mrs|ms|dr|prof|st|fig|figs|no|nos|vol|pp?|sec|ch|eq|approx|ca|resp|incl|esp|viz|inc|ltd|co|jr|sr|dept|est|[a-z]|(?:[a-z]\.)+[a-z])\.$/i;
const BOUNDARY = /[.!?…]+["'”’)\]*_`]*(?=\s)|[。！？｡；।؟]+[」』”’）)]*/g;

/** What has no end of a sentence for so long is no sentence: it is cut into pieces of about this length, UTF-16. */
const MAX_UNIT = 640;
const PIECE = 300;

/** The units of one block: its sentences, or all of it. */
export function unitsOf(text: string, block: Block, index: number): Unit[] {
  const units: Unit[] = [];
  const push = (from: number, to: number) => {
    let start = from;
    let end = to;
    while (start < end && isSpace(text.charCodeAt(start))) start += 1;
    while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
    while (end - start > MAX_UNIT) {
      const piece = pieceEnd(text, start);
      units.push({
        start,
        end: piece,
        block: index,
        kind: block.kind,
        heading: block.heading,
        group: block.group,
      });
      start = piece;
      while (start < end && isSpace(text.charCodeAt(start))) start += 1;
    }
    if (start < end)
      units.push({ start, end, block: index, kind: block.kind, heading: block.heading, group: block.group });
  };
  if (block.kind === 'heading' || block.kind === 'row') push(block.start, block.end);
  else {
    const body = text.slice(block.start, block.end);
    let from = 0;
    for (const match of body.matchAll(BOUNDARY)) {
      const to = match.index + match[0].length;
      if (match[0].startsWith('.')) {
        if (ABBREVIATION.test(body.slice(Math.max(0, match.index - 12), match.index + 1))) continue;
        // "1. First" is one item; a sentence does not go on in lower case.
        if (/^\s*(?:>\s?)*\d+\.$/.test(body.slice(from, to)) || /^\s+\p{Ll}/u.test(body.slice(to, to + 8)))
          continue;
      }
      push(block.start + from, block.start + to);
      from = to;
    }
    push(block.start + from, block.end);
  }
  return units;
}

/** The end of a piece that starts at `start`: after a word where there is one, never inside a character. */
function pieceEnd(text: string, start: number): number {
  for (let at = start + PIECE; at > start + PIECE / 2; at -= 1) if (isSpace(text.charCodeAt(at))) return at;
  const at = start + PIECE;
  return /^[\udc00-\udfff]/.test(text.charAt(at)) ? at - 1 : at;
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0xa0 || code === 0x3000 || code === 0xfeff;
}
