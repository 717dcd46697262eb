import type { TextPosition } from '../../contracts/index.ts';

/** Text of a document, with the first line of each of its pages or cells. */
export interface ExtractedText {
  text: string;
  positions: TextPosition[];
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
