import { inflateSync } from 'node:zlib';
import { systemCode } from '../../errors.ts';
import { Skipped } from '../skipped.ts';
import { type ExtractedText, joinParts } from './text.ts';

const MAX_PAGES = 10_000;
/** Of the text of all pages. */
const MAX_CHARACTERS = 64 * 1024 * 1024;
/** No stream in it may inflate to more: what draws a page is a thousandth of that. */
const MAX_STREAM_BYTES = 64 * 1024 * 1024;

/** The text layer of a PDF, page by page. A scan without one gives empty pages: that is said as an error. */
export async function extractPdf(bytes: Buffer): Promise<ExtractedText> {
  refuseHugeStreams(bytes);
  const { getDocumentProxy } = await import('unpdf');
  // Verbosity 0: pdf.js would print its warnings to stdout, which belongs to MCP.
  const document = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0, isEvalSupported: false });
  try {
    const { numPages } = document;
    if (numPages > MAX_PAGES) {
      throw new Skipped('too_large', `${numPages} pages; at most ${MAX_PAGES} can be extracted`);
    }
    const pages: string[] = [];
    let characters = 0;
    // One after the other: each page is given back before the next one is taken.
    for (let number = 1; number <= numPages; number += 1) {
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      const text = items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : '')).join('');
      page.cleanup();
      characters += text.length;
      if (characters > MAX_CHARACTERS) {
        throw new Skipped('too_large', `more than ${MAX_CHARACTERS} characters of text on ${number} pages`);
      }
      pages.push(text);
    }
    if (pages.every((page) => page.trim() === '')) throw new Error('no text layer (a scan?)');
    return joinParts(pages, 'page');
  } finally {
    await document.destroy();
  }
}

/** Inflates what is deflated, to see how much it becomes; what is not deflated fails at its first bytes. */
function refuseHugeStreams(bytes: Buffer): void {
  for (let at = bytes.indexOf('stream'); at !== -1; at = bytes.indexOf('stream', at + 6)) {
    const start = bytes[at + 6] === 0x0d ? at + 8 : at + 7;
    const end = bytes.indexOf('endstream', start);
    if (end === -1) return;
    try {
      inflateSync(bytes.subarray(start, end), { maxOutputLength: MAX_STREAM_BYTES });
    } catch (error) {
      if (systemCode(error) === 'ERR_BUFFER_TOO_LARGE') {
        throw new Skipped('too_large', `a stream in it inflates to more than ${MAX_STREAM_BYTES} bytes`);
      }
    }
    at = end + 3;
  }
}
