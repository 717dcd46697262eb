/** The level of a bold line that stands for a heading: below all others. */
export const BOLD_LEVEL = 7;

/** What a line of a Markdown file is, as far as sections are concerned. */
export type MarkdownLine =
  | { kind: 'code' }
  | { kind: 'blank' }
  | { kind: 'heading'; level: number; title: string }
  /** A line that is bold from its start: a heading to many writers. `rest` is what follows the bold part. */
  | { kind: 'bold'; title: string; rest: string }
  | { kind: 'text'; text: string; indent: number };

/**
 * Reads Markdown line by line; it keeps only what is needed to know where code blocks are. Fences may be
 * indented or quoted; indented code is not told from nested lists, and counts as text.
 */
export class MarkdownReader {
  #fence: { mark: string; length: number } | undefined;

  read(line: string): MarkdownLine {
    // Reports have many lines: the first character decides which of the patterns can match at all.
    const unquoted = QUOTED.test(line) ? line.replace(QUOTED, '') : line;
    const trimmed = unquoted.trim();
    if (this.#fence !== undefined || trimmed.includes('```') || trimmed.includes('~~~')) {
      if (this.#isCode(trimmed)) return { kind: 'code' };
    }
    if (trimmed === '') return { kind: 'blank' };
    const indent = unquoted.length - unquoted.trimStart().length;
    const first = indent > 3 ? '' : trimmed.charAt(0);
    if (first === '#') {
      const heading = /^(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?$/.exec(trimmed);
      if (heading !== null)
        return { kind: 'heading', level: heading[1]?.length ?? 1, title: heading[2] ?? '' };
    } else if (first === '*' || first === '_') {
      const bold = /^(\*\*|__)(\S.*?)\1(.*)$/.exec(trimmed);
      if (bold !== null) return { kind: 'bold', title: bold[2] ?? '', rest: bold[3] ?? '' };
    }
    return { kind: 'text', text: trimmed, indent };
  }

  /** Opens and closes fences; a fence may begin in a list entry. */
  #isCode(trimmed: string): boolean {
    const fence = /^(?:[-*+]\s+|\d+[.)]\s+)?(`{3,}|~{3,})(.*)$/.exec(trimmed);
    const mark = fence?.[1] ?? '';
    if (this.#fence !== undefined) {
      const { mark: open, length } = this.#fence;
      if (mark.startsWith(open) && mark.length >= length && fence?.[2]?.trim() === '')
        this.#fence = undefined;
      return true;
    }
    // Backticks after the mark make it inline code.
    if (mark === '' || (mark.startsWith('`') && fence?.[2]?.includes('`'))) return false;
    this.#fence = { mark: mark.charAt(0), length: mark.length };
    return true;
  }
}

const QUOTED = /^(\s{0,3}>)+ ?/;

/** A title as it is compared: lower case, without numbering, emphasis, emoji, punctuation around it. */
export function plainTitle(title: string): string {
  return title
    .toLowerCase()
    .replace(/[*_`]/g, '')
    .replace(/^[^\p{L}]+/u, '')
    .replace(/[^\p{L})]+$/u, '')
    .replace(/\s+/g, ' ');
}

/** Whether a line underlines the one before it as a heading: the level, or undefined. */
export function underlineLevel(line: MarkdownLine): number | undefined {
  if (line.kind !== 'text' || line.indent > 3) return undefined;
  if (/^=+$/.test(line.text)) return 1;
  return /^-{2,}$/.test(line.text) ? 2 : undefined;
}
