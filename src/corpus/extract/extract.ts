import { readFileSync } from 'node:fs';
import type { SourceKind } from '../../contracts/index.ts';
import type { ExtractedText } from './text.ts';

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
 * @throws Skipped `too_large` for one that would become too much
 */
export async function extractText(kind: SourceKind, file: string): Promise<ExtractedText> {
  const load = EXTRACTORS[kind];
  if (load === undefined) throw new Error(`no extractor for ${kind}`);
  const extract = await load();
  return extract(readFileSync(file));
}
