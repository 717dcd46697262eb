import { readFileSync } from 'node:fs';
import type { SourceKind, TextPosition } from '../../contracts/index.ts';

/** Text of a document, with the first line of each of its pages or cells. */
export interface ExtractedText {
  text: string;
  positions: TextPosition[];
}

type Extractor = (bytes: Buffer) => Promise<ExtractedText>;

/** One file a kind; each loads its library when the first such document appears. */
const EXTRACTORS: Partial<Record<SourceKind, () => Promise<Extractor>>> = {
  pdf: async () => (await import('./pdf.ts')).extractPdf,
  docx: async () => (await import('./docx.ts')).extractDocx,
  html: async () => (await import('./html.ts')).extractHtml,
  notebook: async () => (await import('./notebook.ts')).extractNotebook,
};

/**
 * Extracts the text of a document that a library must hold whole. Any error means that it is damaged.
 *
 * @throws LeftOut `too_large` for one that would become too much
 */
export async function extractText(kind: SourceKind, file: string): Promise<ExtractedText> {
  const load = EXTRACTORS[kind];
  if (load === undefined) throw new Error(`no extractor for ${kind}`);
  const extract = await load();
  return extract(readFileSync(file));
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
