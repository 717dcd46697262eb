import type { SourceKind, TextPosition, VerifiedEvidence } from '../contracts/index.ts';
import { countNewlines, oneLine, sha256, truncate } from '../text/index.ts';
import { locateQuote, SourceText } from './quotes/index.ts';

/** What is known of a document besides the text that was read. */
export interface DocumentInfo {
  kind: SourceKind;
  /** First line in the text of each page, cell or section, in order. */
  positions: readonly TextPosition[];
  /** Of an HTML page: the page itself. */
  html?: string | undefined;
}

type Span = Pick<VerifiedEvidence, 'source' | 'line_start' | 'line_end' | 'quote'>;
type Location = Pick<VerifiedEvidence, 'location' | 'page' | 'cell' | 'heading' | 'fragment' | 'source_line'>;

/** Longest heading in a location, in characters. */
const MAX_HEADING = 120;
/** A passage up to this size is a text fragment as a whole, in characters of the address. */
const MAX_WHOLE = 120;
/** Words at each end of a longer one, and their size in characters of the address. */
const MAX_WORDS = 6;
const MAX_END = 80;
/** Of a script without spaces between words. */
const MAX_CHARACTERS = 8;
/** A larger page, and one that three quotes were not found in, is not searched for lines: that takes long. */
const MAX_HTML = 2 * 1024 * 1024;
const MAX_MISSED = 3;

/** Where a person finds spans of one document; `locate` gives it as it is cited. */
export class DocumentLocations {
  readonly #info: DocumentInfo;
  #html: SourceText | undefined;
  #missed = 0;

  constructor(info: DocumentInfo) {
    this.#info = info;
  }

  locate(span: Span): Location {
    const { source } = span;
    const at = this.#positionOf(span.line_start);
    switch (this.#info.kind) {
      case 'pdf':
        return at?.page === undefined
          ? lines(span)
          : { location: `${source}#page=${at.page}`, page: at.page };
      case 'notebook':
        return at?.cell === undefined
          ? lines(span)
          : { location: `${source}#cell=${at.cell}`, cell: at.cell };
      case 'docx': {
        const heading = at?.heading === undefined ? '' : oneLine(at.heading, MAX_HEADING);
        return heading === '' ? { location: source } : { location: `${source}#${heading}`, heading };
      }
      case 'html': {
        const fragment = textFragment(span.quote);
        const line = this.#lineInHtml(span);
        const known = line === undefined ? {} : { source_line: line };
        return fragment === ''
          ? { ...lines(span), ...known }
          : { location: `${source}#${fragment}`, fragment, ...known };
      }
      default:
        return lines(span);
    }
  }

  /** A span that goes over several pages or cells, as one of each: a citation opens in one place. */
  split<S extends Span & Pick<VerifiedEvidence, 'byte_start' | 'byte_end' | 'sha256'>>(span: S): S[] {
    const starts = this.#info.positions
      .filter(({ page, cell }) => page !== undefined || cell !== undefined)
      .map(({ line }) => line)
      .filter((line) => line > span.line_start && line <= span.line_end);
    if (starts.length === 0) return [span];
    const rows = span.quote.split(/(?<=\n)/);
    const parts: S[] = [];
    let [line, byte] = [span.line_start, span.byte_start];
    for (const next of [...starts, span.line_end + 1]) {
      const text = rows.splice(0, next - line).join('');
      const words = text.trim();
      const head = text.slice(0, text.indexOf(words));
      if (/[\p{L}\p{N}]/u.test(words)) {
        const byte_start = byte + Buffer.byteLength(head);
        const line_start = line + countNewlines(head);
        parts.push({
          ...span,
          byte_start,
          byte_end: byte_start + Buffer.byteLength(words),
          line_start,
          line_end: line_start + countNewlines(words),
          sha256: sha256(words),
          quote: words,
        });
      }
      byte += Buffer.byteLength(text);
      line = next;
    }
    return parts;
  }

  /** The last position at or before a line. */
  #positionOf(line: number): TextPosition | undefined {
    const { positions } = this.#info;
    let [low, high] = [0, positions.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((positions[middle]?.line ?? 0) <= line) low = middle + 1;
      else high = middle;
    }
    return positions[low - 1];
  }

  #lineInHtml({ quote }: Span): number | undefined {
    const { html } = this.#info;
    if (html === undefined || html.length > MAX_HTML || this.#missed === MAX_MISSED) return undefined;
    this.#html ??= new SourceText(withoutTags(html));
    const found = locateQuote(this.#html, passagesOf(quote).join(' '));
    if (found.match !== 'missing') return found.spans[0]?.line_start;
    this.#missed += 1;
    return undefined;
  }
}

/** Where a span is in its document, for a reader who sees which document that is. */
export function describePlace({
  page,
  cell,
  heading,
  source_line,
  line_start,
  line_end,
}: VerifiedEvidence): string {
  if (page !== undefined) return `page ${page}`;
  if (cell !== undefined) return `cell ${cell}`;
  if (heading !== undefined) return `under “${heading}”`;
  if (source_line !== undefined) return `line ${source_line} of the file`;
  return line_start === line_end ? `line ${line_start}` : `lines ${line_start}-${line_end}`;
}

function lines({ source, line_start, line_end }: Span): Location {
  return { location: `${source}:${line_start}-${line_end}` };
}

/** The parts of an extracted quote that are each in one block of the page: no list signs, no rows of cells. */
function passagesOf(quote: string): string[] {
  return quote
    .split(/\n|\t| {2,}/)
    .map((part) => part.replace(/^\s*(?:#{1,6}|[*•-]|\d+\.)\s+/, '').trim())
    .filter((part) => /[\p{L}\p{N}]/u.test(part));
}

/** `:~:text=…` (WICG, URL Fragment Text Directives): the whole quote when it is short, else its first and last words. */
function textFragment(quote: string): string {
  const passages = passagesOf(quote);
  const [first, last] = [passages[0], passages.at(-1)];
  if (first === undefined || last === undefined) return '';
  const whole = encode(first);
  if (passages.length === 1 && whole.length <= MAX_WHOLE) return `:~:text=${whole}`;
  return `:~:text=${encode(endOf(first, 'start'))},${encode(endOf(last, 'end'))}`;
}

/** The first or last words of a passage. */
function endOf(passage: string, end: 'start' | 'end'): string {
  const words = passage.split(/\s+/);
  const take = (count: number) => (end === 'start' ? words.slice(0, count) : words.slice(-count)).join(' ');
  for (let count = MAX_WORDS; count > 0; count -= 1)
    if (encode(take(count)).length <= MAX_END) return take(count);
  return truncate(take(1), MAX_CHARACTERS, { keep: end, mark: '' });
}

/** Percent-encoded, also what ends a fragment (`-`, `,`, `&`) or a link in Markdown. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[-!'()*~]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Elements within a line of text; any other tag separates words. */
const INLINE =
  /^<\/?(?:a|abbr|b|bdi|bdo|cite|code|data|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strong|sub|sup|time|tt|u|var|wbr)\b/i;
const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** A page's words, each in the line where the page has it. */
function withoutTags(html: string): string {
  const breaks = (text: string) => text.replace(/[^\n]/g, '');
  return withoutHidden(html, breaks)
    .replace(/<[a-z/!?][^<>]*>/gi, (tag) => (INLINE.test(tag) ? '' : ' ') + breaks(tag))
    .replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));/gi, (entity, decimal, hex, name) => {
      const code = decimal === undefined ? Number.parseInt(hex ?? 'x', 16) : Number(decimal);
      if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? entity;
      return code > 0x1f && code < 0x11_0000 ? String.fromCodePoint(code) : entity;
    });
}

/** Comments, scripts and styles are no words of the page. Linear, whatever the page holds. */
function withoutHidden(html: string, breaks: (text: string) => string): string {
  const opening = /<!--|<(script|style|template)\b/gi;
  let out = '';
  let at = 0;
  for (let open = opening.exec(html); open !== null; open = opening.exec(html)) {
    const closing = open[1] === undefined ? /-->/g : new RegExp(`</${open[1]}\\s*>`, 'gi');
    closing.lastIndex = opening.lastIndex;
    const close = closing.exec(html);
    // What is never closed hides all that follows.
    const end = close === null ? html.length : closing.lastIndex;
    out += html.slice(at, open.index) + breaks(html.slice(open.index, end));
    at = end;
    opening.lastIndex = end;
  }
  return out + html.slice(at);
}
