import { DEFERRED_FIELD_CHARS } from '../contracts/index.ts';
import { oneLine, truncate } from '../text/index.ts';
import type { MarkdownNode } from '../text/markdown/index.ts';
import { plainTitle, readSections, type Section } from './report.ts';

/** An item of a section "Deferred opportunities". */
export interface ParsedItem {
  what: string;
  why_deferred: string | null;
  how_to_validate: string | null;
  /** Of its first line, from 1. */
  line: number;
}

type Field = 'what' | 'why' | 'how';

/** The words that may stand before each, as a pattern. */
const LABELS: [Field, string][] = [
  [
    'why',
    'why(?: it (?:was|is))? deferred|why not now|why|reason(?: for deferral)?|rationale|deferred because',
  ],
  [
    'how',
    'how to validate|how to verify|validation|validate|verification|verify|success criteria|minimal verify|test plan',
  ],
  ['what', 'what|proposal|proposed|opportunity|idea|item|description'],
];
const FIELDS = LABELS.map(([field, words]) => ({ field, label: new RegExp(`^(?:${words})$`, 'iu') }));
/** A label with a colon, at the start of a text or after a break in the sentence. */
const LABEL = new RegExp(`(^|[\\s.;,(|—–-])(${LABELS.map(([, words]) => words).join('|')})\\s*:\\s*`, 'giu');
const SECTION =
  /\bdeferred opportunit(?:y|ies)\b|^deferred(?: (?:work|items?|tasks?|ideas?|improvements?|changes?|follow-?ups?))?$/;
const NOTHING =
  /^\W*(none|nothing|n\/?a|no|no (further |other )?(deferred )?(opportunities|items)|keine|なし)( (were |was )?(identified|found|noted|deferred|at this time|so far|here))*\W*$/i;
/** Items of one report, and characters of one section, at most: more is not a list of ideas. */
const MAX_ITEMS = 200;
const MAX_SECTION_CHARS = 64_000;

/**
 * Finds deferred opportunities in a report: list entries, table rows, headings below the section's, or paragraphs.
 *
 * @returns undefined when the report has no such section; no items for one that says "none"
 */
export async function readDeferredItems(report: string): Promise<ParsedItem[] | undefined> {
  if (!/deferred/i.test(report)) return undefined;
  const sections = readSections(
    report,
    (title) => SECTION.test(title),
    (title) => fieldOf(title) !== undefined,
  );
  if (sections.length === 0) return undefined;
  // Loaded when a report has something to be parsed.
  const { parseMarkdown, textOf } = await import('../text/markdown/index.ts');
  const items = sections.flatMap((section) => {
    const body = plainer(truncate(section.body, MAX_SECTION_CHARS, { mark: '' }));
    const reader = new ItemReader(section, textOf);
    reader.read(parseMarkdown(body).children);
    return reader.end();
  });
  return items.slice(0, MAX_ITEMS);
}

/**
 * Without what nobody writes and what takes a parser minutes: lists and quotes that are nested on one line, and
 * thousands of emphasis marks.
 */
function plainer(text: string): string {
  const flat = text.replace(/^(?:[ \t]*(?:[-*+>]|\d+[.)])){8}.*$/gm, '');
  if ((flat.match(/[*_~]/g)?.length ?? 0) <= 2000) return flat;
  return flat.replace(/(?<=\S)[*_~]+|[*_~]+(?=\S)/g, '');
}

interface Draft extends Record<Field, string[]> {
  line: number;
  /** Its first words are a heading: what follows describes it. */
  titled: boolean;
  field: Field;
}

class ItemReader {
  readonly #items: ParsedItem[] = [];
  readonly #offset: number;
  readonly #textOf: (node: unknown) => string;
  #draft: Draft | undefined;

  constructor({ line }: Section, textOf: (node: unknown) => string) {
    this.#offset = line - 1;
    this.#textOf = textOf;
  }

  read(nodes: readonly MarkdownNode[]): void {
    for (const node of nodes) {
      switch (node.type) {
        case 'heading':
          this.#begin(this.#textOf(node).replace(/^[\d.)\s]+/, ''), node, true);
          break;
        case 'paragraph': {
          const text = this.#textOf(node);
          const bold = node.children.length === 1 && node.children[0]?.type === 'strong';
          if (bold && fieldOf(text) === undefined) this.#begin(text, node, true);
          else if (this.#describes(labelAt(text))) this.#add(text);
          else this.#begin(text, node);
          break;
        }
        case 'list':
          for (const entry of node.children) {
            const [first = '', ...more] = this.#textsOf(entry.children);
            const label = labelAt(first);
            // Entries that are the next field of the item above belong to it.
            const nextField = label !== undefined && this.#draft?.[label].length === 0;
            if (this.#draft?.titled || (nextField && this.#describes(label))) this.#add(first);
            else this.#begin(first, entry);
            for (const text of more) this.#add(text);
          }
          break;
        case 'table': {
          this.#finish();
          const [head, ...rows] = node.children.map(({ children, position }) => ({
            cells: children.map((cell) => this.#textOf(cell)),
            position,
          }));
          const columns = head?.cells.map(columnOf) ?? [];
          // A table whose head says nothing is read in the order what, why, how.
          const named = columns.some((column) => column !== undefined);
          for (const row of rows) {
            this.#begin('', row);
            for (const [index, cell] of row.cells.entries()) {
              const column = (named ? columns : (['what', 'why', 'how'] as const))[index];
              if (column !== undefined) this.#draft?.[column].push(cell);
            }
            this.#finish();
          }
          break;
        }
        case 'blockquote':
          this.read(node.children.filter((child) => child.type !== 'definition'));
          break;
      }
    }
  }

  end(): ParsedItem[] {
    this.#finish();
    return this.#items;
  }

  /** Whether a text with such a label says more about the item before it. */
  #describes(label: Field | undefined): boolean {
    return this.#draft !== undefined && (this.#draft.titled || (label !== undefined && label !== 'what'));
  }

  /** The texts of an entry and of the entries in it, without code blocks. */
  #textsOf(nodes: readonly MarkdownNode[]): string[] {
    return nodes.flatMap((node) => {
      if (node.type === 'list') return node.children.flatMap((entry) => this.#textsOf(entry.children));
      return node.type === 'paragraph' || node.type === 'heading' ? [this.#textOf(node)] : [];
    });
  }

  #begin(text: string, { position }: Pick<MarkdownNode, 'position'>, titled = false): void {
    this.#finish();
    const line = this.#offset + (position?.start.line ?? 1);
    this.#draft = { what: [], why: [], how: [], line, titled, field: 'what' };
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

  #finish(): void {
    const draft = this.#draft;
    this.#draft = undefined;
    if (draft === undefined) return;
    const { what, why, how, line } = draft;
    const text = clean(what);
    // An introduction ("These were put off:") or "none identified" is no item.
    const introduces = text.endsWith(':') && why.length + how.length === 0;
    if (text === '' || NOTHING.test(text) || introduces) return;
    this.#items.push({
      what: text,
      why_deferred: clean(why) || null,
      how_to_validate: clean(how) || null,
      line,
    });
  }
}

/** The field that a label means, or undefined. */
function fieldOf(text: string): Field | undefined {
  const plain = plainTitle(text);
  return FIELDS.find(({ label }) => label.test(plain))?.field;
}

/** The field that a text begins with a label of. */
function labelAt(text: string): Field | undefined {
  const [match] = text.matchAll(LABEL);
  return match?.index === 0 ? fieldOf(match[2] ?? '') : undefined;
}

/** The field that a column's head means, or undefined. */
function columnOf(cell: string): Field | undefined {
  const title = plainTitle(cell);
  if (/valid|verif|criteria|test/.test(title)) return 'how';
  if (/why|reason|rationale|deferred|because/.test(title)) return 'why';
  if (/what|item|opportunit|proposal|idea|description|change/.test(title)) return 'what';
  return undefined;
}

/** A worker's words as they may be shown: one line, capped. */
function clean(texts: readonly string[]): string {
  return oneLine(texts.join(' ').replace(/^[\s:—–;,.-]+/u, ''), DEFERRED_FIELD_CHARS);
}
