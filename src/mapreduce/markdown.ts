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
    const text = line.replace(/^(\s{0,3}>)+ ?/, '').replace(/\r$/, '');
    const fence = /^\s*(?:[-*+]\s+|\d+[.)]\s+)?(`{3,}|~{3,})(.*)$/.exec(text);
    const mark = fence?.[1] ?? '';
    if (this.#fence !== undefined) {
      const closes =
        mark.startsWith(this.#fence.mark) && mark.length >= this.#fence.length && fence?.[2]?.trim() === '';
      if (closes) this.#fence = undefined;
      return { kind: 'code' };
    }
    if (mark !== '' && !(mark.startsWith('`') && fence?.[2]?.includes('`'))) {
      this.#fence = { mark: mark.charAt(0), length: mark.length };
      return { kind: 'code' };
    }
    if (text.trim() === '') return { kind: 'blank' };
    const heading = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/.exec(text);
    if (heading !== null) {
      return { kind: 'heading', level: heading[1]?.length ?? 1, title: heading[2] ?? '' };
    }
    const bold = /^ {0,3}(\*\*|__)(\S.*?)\1(.*)$/.exec(text);
    if (bold !== null) return { kind: 'bold', title: bold[2] ?? '', rest: bold[3] ?? '' };
    return { kind: 'text', text: text.trim(), indent: text.length - text.trimStart().length };
  }
}

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
