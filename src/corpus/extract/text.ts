import type { TextPosition } from '../../contracts/index.ts';

/** Text of a document, with the first line of each of its pages, cells or sections. */
export interface ExtractedText {
  text: string;
  positions: TextPosition[];
}

/** The headings of a text that was made from HTML, where they are as in Markdown. */
export function headingsOf(text: string): TextPosition[] {
  return text.split('\n').flatMap((line, index) => {
    const heading = /^#{1,6} +(.*\S)/.exec(line)?.[1];
    return heading === undefined ? [] : [{ line: index + 1, heading }];
  });
}

/** Joins parts (pages, cells) by a blank line and notes the line at which each one starts. */
export function joinParts(parts: readonly string[], name: 'page' | 'cell'): ExtractedText {
  const positions: TextPosition[] = [];
  let text = '';
  let line = 1;
  for (const [index, part] of parts.entries()) {
    positions.push(name === 'page' ? { line, page: index + 1 } : { line, cell: index + 1 });
    const whole = `${part.replace(/\r\n?/g, '\n').trimEnd()}\n\n`;
    text += whole;
    line += whole.split('\n').length - 1;
  }
  return { text, positions };
}
