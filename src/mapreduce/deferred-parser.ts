import { clean, columnOf, type Field, fieldOf, LABEL, labelAt, splitRow } from './deferred-fields.ts';
import { BOLD_LEVEL, type MarkdownLine, MarkdownReader, plainTitle, underlineLevel } from './markdown.ts';

/** An item of a section "Deferred opportunities". */
export interface ParsedItem {
  what: string;
  why_deferred: string | null;
  how_to_validate: string | null;
  /** Of its first line, from 1. */
  line: number;
}

type Draft = Record<Field, string[]> & { line: number; indent: number; field: Field };

/** Items of one report, at most: more is not a list of ideas. */
const MAX_ITEMS = 200;
const SECTION = /\bdeferred opportunit(y|ies)\b/;
const NOTHING =
  /^\W*(none|nothing|n\/?a|no|no (further |other )?(deferred )?(opportunities|items)|keine|なし)( (were |was )?(identified|found|noted|deferred|at this time|so far|here))*\W*$/i;

/**
 * Finds deferred opportunities in a report that is read line by line. A section begins at a heading of any
 * level, a bold line, or a line "Deferred opportunities:", and ends at the next heading of its level or above.
 * Items are list entries, table rows, headings below the section's, or paragraphs.
 */
export class DeferredParser {
  readonly items: ParsedItem[] = [];
  /** The report has such a section, even one that says "none". */
  hasSection = false;

  readonly #reader = new MarkdownReader();
  #section: number | undefined;
  #draft: Draft | undefined;
  #columns: (Field | undefined)[] | undefined;
  /** A first table row that may be the head of the table. */
  #tableHead: { cells: string[]; line: number } | undefined;
  #previous: { text: string; line: number } | undefined;
  #afterBlank = true;
  #line = 0;

  push(raw: string): void {
    this.#line += 1;
    const line = this.#reader.read(raw);
    const underline = this.#previous === undefined ? undefined : underlineLevel(line);
    if (underline !== undefined && this.#previous !== undefined) {
      // What was taken for a paragraph was a heading.
      if (this.#draft?.line === this.#previous.line) this.#draft = undefined;
      this.#heading(underline, this.#previous.text, '', this.#previous.line);
      this.#previous = undefined;
      return;
    }
    const afterBlank = this.#afterBlank;
    this.#afterBlank = line.kind === 'blank';
    this.#previous = line.kind === 'text' && afterBlank ? { text: line.text, line: this.#line } : undefined;
    if (line.kind === 'heading') this.#heading(line.level, line.title, '', this.#line);
    else if (line.kind === 'bold' && this.#isBoldHeading(line)) {
      this.#heading(BOLD_LEVEL, line.title, line.rest, this.#line);
    } else if (line.kind === 'text' && afterBlank && /^deferred opportunit(y|ies)\s*:/i.test(line.text)) {
      this.#heading(BOLD_LEVEL, 'deferred opportunities', line.text.replace(/^[^:]*/, ''), this.#line);
    } else if (this.#section !== undefined) this.#body(line, raw, afterBlank);
  }

  /** To be called after the last line. */
  end(): void {
    this.#flush();
    this.#flushTableHead();
  }

  #isBoldHeading(line: { title: string; rest: string }): boolean {
    if (SECTION.test(plainTitle(line.title))) return true;
    // Within a section a bold line is a heading unless it is a label of an item, or an item's first words.
    return line.rest.trim() === '' && fieldOf(line.title) === undefined;
  }

  #heading(level: number, title: string, rest: string, line: number): void {
    if (SECTION.test(plainTitle(title))) {
      this.#flush();
      this.#flushTableHead();
      this.#section = level;
      this.hasSection = true;
      const inline = rest.replace(/^[\s:—–-]+/, '');
      if (inline !== '') {
        this.#begin(inline, line, 0);
        this.#flush();
      }
      return;
    }
    if (this.#section === undefined) return;
    this.#flush();
    this.#flushTableHead();
    if (level <= this.#section) this.#section = undefined;
    else this.#begin(title.replace(/^[\d.)\s]+/, ''), line, -1);
  }

  #body(line: MarkdownLine, raw: string, afterBlank: boolean): void {
    if (line.kind === 'code' || line.kind === 'heading') return;
    if (line.kind === 'blank') {
      this.#flushTableHead();
      this.#columns = undefined;
      return;
    }
    const text = line.kind === 'bold' ? raw.trim() : line.text;
    const indent = line.kind === 'bold' ? 0 : line.indent;
    if (text.startsWith('|')) {
      this.#row(text);
      return;
    }
    const entry = /^(?:[-*+]|\d{1,9}[.)])\s+(?:\[[ xX]\]\s+)?(.*)$/.exec(text);
    if (entry !== null) {
      this.#entry(entry[1] ?? '', indent);
      return;
    }
    // A paragraph goes on, or says more about the entry above it, or begins an item of its own.
    const label = labelAt(text);
    const continues =
      this.#draft !== undefined &&
      (!afterBlank ||
        indent > this.#draft.indent ||
        this.#draft.indent === -1 ||
        (label !== undefined && label !== 'what'));
    if (continues) this.#add(text);
    else this.#begin(text, this.#line, 0);
  }

  #entry(text: string, indent: number): void {
    const draft = this.#draft;
    const label = labelAt(text);
    // Nested entries, and entries that are the next field of the item above, belong to it.
    const nested = draft !== undefined && indent > draft.indent + 1;
    const nextField =
      draft !== undefined && label !== undefined && label !== 'what' && draft[label].length === 0;
    // Under a heading that is an item, entries describe it.
    const underHeading = draft?.indent === -1;
    if (nested || nextField || underHeading) {
      this.#add(text);
      return;
    }
    this.#begin(text, this.#line, indent);
  }

  #row(text: string): void {
    this.#flush();
    const cells = splitRow(text);
    if (cells.every((cell) => /^:?-+:?$/.test(cell))) {
      this.#columns = this.#tableHead?.cells.map(columnOf);
      // A table whose head says nothing is read in the order what, why, how.
      if (this.#columns?.every((column) => column === undefined)) this.#columns = ['what', 'why', 'how'];
      this.#tableHead = undefined;
      return;
    }
    if (this.#columns === undefined) {
      this.#flushTableHead();
      this.#tableHead = { cells, line: this.#line };
      return;
    }
    this.#finish(this.#fromCells(cells, this.#columns, this.#line));
  }

  #fromCells(cells: string[], columns: (Field | undefined)[], line: number): Draft {
    const draft: Draft = { what: [], why: [], how: [], line, indent: 0, field: 'what' };
    for (const [index, cell] of cells.entries()) {
      const column = columns[index];
      if (column !== undefined && cell !== '') draft[column].push(cell);
    }
    return draft;
  }

  /** A row that no separator followed was a row after all. */
  #flushTableHead(): void {
    const head = this.#tableHead;
    this.#tableHead = undefined;
    if (head !== undefined) this.#finish(this.#fromCells(head.cells, ['what', 'why', 'how'], head.line));
  }

  #begin(text: string, line: number, indent: number): void {
    this.#flush();
    this.#draft = { what: [], why: [], how: [], line, indent, field: 'what' };
    this.#add(text);
  }

  /** Adds text to the item, each piece to the field that its label names; without one to the field before. */
  #add(text: string): void {
    const draft = this.#draft;
    if (draft === undefined) return;
    let at = 0;
    const put = (end: number) => {
      // Before a label, the punctuation belongs to the label.
      const loose = end < text.length ? /[\s(—–;,.-]+$/u : /[\s(—–;-]+$/u;
      const piece = text.slice(at, end).replace(loose, '').trim();
      if (piece !== '') draft[draft.field].push(piece);
    };
    for (const match of text.matchAll(LABEL)) {
      const field = fieldOf(match[2] ?? '');
      if (field === undefined) continue;
      put(match.index + (match[1]?.length ?? 0));
      draft.field = field;
      at = match.index + match[0].length;
    }
    put(text.length);
  }

  #flush(): void {
    const draft = this.#draft;
    this.#draft = undefined;
    if (draft !== undefined) this.#finish(draft);
  }

  #finish(draft: Draft): void {
    const what = clean(draft.what.join(' '));
    // An introduction ("These were put off:") or "none identified" is no item.
    if (
      what === '' ||
      NOTHING.test(what) ||
      (what.endsWith(':') && draft.why.length + draft.how.length === 0)
    )
      return;
    if (this.items.length >= MAX_ITEMS) return;
    this.items.push({
      what,
      why_deferred: clean(draft.why.join(' ')) || null,
      how_to_validate: clean(draft.how.join(' ')) || null,
      line: draft.line,
    });
  }
}
