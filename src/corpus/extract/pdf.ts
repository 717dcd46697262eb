import { type ExtractedText, joinParts } from './extract.ts';

/** The text layer of a PDF, page by page. A scan without one gives empty pages: that is said as an error. */
export async function extractPdf(bytes: Buffer): Promise<ExtractedText> {
  const { extractText, getDocumentProxy } = await import('unpdf');
  // Verbosity 0: pdf.js would print its warnings to stdout, which belongs to MCP.
  const document = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0, isEvalSupported: false });
  try {
    const { text } = await extractText(document, { mergePages: false });
    if (text.every((page) => page.trim() === '')) throw new Error('no text layer (a scan?)');
    return joinParts(text, 'page');
  } finally {
    await document.destroy();
  }
}
