import { DEFERRED_FIELD_CHARS } from '../contracts/index.ts';
import { oneLine } from '../text/index.ts';
import { plainTitle } from './markdown.ts';

/** What is kept of a deferred opportunity. */
export type Field = 'what' | 'why' | 'how';

/** The words that may stand for each, as a pattern. */
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
/** A label with a colon, bold or not, at the start of a text or after a break in the sentence. */
export const LABEL = new RegExp(
  `(^|[\\s.;,(|—–-])[*_]{0,3}(${LABELS.map(([, words]) => words).join('|')})[*_]{0,3}\\s*:[*_]{0,3}\\s*`,
  'giu',
);

const FIELDS = LABELS.map(([field, words]) => ({ field, label: new RegExp(`^(?:${words})$`, 'iu') }));

/** The field that a label means, or undefined. */
export function fieldOf(text: string): Field | undefined {
  const plain = plainTitle(text);
  return FIELDS.find(({ label }) => label.test(plain))?.field;
}

/** The field that a text begins with a label of. */
export function labelAt(text: string): Field | undefined {
  const match = [...text.matchAll(LABEL)][0];
  return match !== undefined && text.slice(0, match.index).trim() === ''
    ? fieldOf(match[2] ?? '')
    : undefined;
}

/** The field that a column's head means, or undefined. */
export function columnOf(cell: string): Field | undefined {
  const title = plainTitle(cell);
  if (/valid|verif|criteria|test/.test(title)) return 'how';
  if (/why|reason|rationale|deferred|because/.test(title)) return 'why';
  if (/what|item|opportunit|proposal|idea|description|change/.test(title)) return 'what';
  return undefined;
}

/** The cells of a table row: `\|` and a bar inside backticks are text. */
export function splitRow(text: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let code = false;
  const row = text.replace(/^\|/, '').replace(/\|\s*$/, '');
  for (let at = 0; at < row.length; at += 1) {
    const char = row.charAt(at);
    if (char === '\\' && row.charAt(at + 1) === '|') {
      cell += '|';
      at += 1;
    } else if (char === '|' && !code) {
      cells.push(cell.trim());
      cell = '';
    } else {
      if (char === '`') code = !code;
      cell += char;
    }
  }
  cells.push(cell.trim());
  return cells;
}

/** A worker's words as they may be shown: one line, no emphasis marks around them, no control characters, capped. */
export function clean(text: string): string {
  const words = text.replace(/\*\*|__/g, '').replace(/^[\s:—–;,.-]+/u, '');
  return oneLine(words, DEFERRED_FIELD_CHARS);
}
