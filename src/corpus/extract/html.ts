import { readFileSync } from 'node:fs';
import { decoderOf, detectLegacyEncoding, HEAD_BYTES } from '../ingest/encoding.ts';
import type { ExtractedText } from './text.ts';

/** The readable text of a page, headings as in Markdown so that chunks can follow them. */
export async function extractHtml(bytes: Buffer): Promise<ExtractedText> {
  return { text: await htmlToText(await decode(bytes)), positions: [] };
}

/** The text of an HTML fragment or page. */
export async function htmlToText(html: string): Promise<string> {
  const { convert } = await import('html-to-text');
  const headings = [1, 2, 3, 4, 5, 6].map((level) => ({
    selector: `h${level}`,
    format: 'markdownHeading',
    options: { level },
  }));
  const text = convert(html, {
    wordwrap: false,
    formatters: {
      markdownHeading(element, walk, builder, options) {
        builder.openBlock({ leadingLineBreaks: 2 });
        builder.addInline(`${'#'.repeat(Number(options.level))} `);
        walk(element.children, builder);
        builder.closeBlock({ trailingLineBreaks: 2 });
      },
    },
    selectors: [
      ...headings,
      { selector: 'a', options: { ignoreHref: true } },
      { selector: 'img', format: 'skip' },
      { selector: 'script', format: 'skip' },
      { selector: 'style', format: 'skip' },
      { selector: 'table', format: 'dataTable' },
    ],
  });
  return `${text.trimEnd()}\n`;
}

/** The text of an HTML file, tags and all. */
export async function readHtml(file: string): Promise<string> {
  return decode(readFileSync(file));
}

/** By byte order mark, else the page's own declaration, else UTF-8 where valid, else what its bytes look like. */
async function decode(bytes: Buffer): Promise<string> {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  const declared = /<meta[^>]+charset=["']?([\w-]+)/i.exec(bytes.toString('latin1', 0, 4096))?.[1];
  // What could be read so far is not UTF-16: who declares that means UTF-8 (HTML Standard, "prescan").
  const label = declared?.toLowerCase().startsWith('utf-16') ? undefined : declared;
  for (const encoding of [label, 'utf-8']) {
    try {
      if (encoding === undefined) continue;
      const decode = decoderOf(encoding, { fatal: true });
      return decode(bytes) + decode();
    } catch {
      // An unknown label, or bytes that are not what it says: the next one.
    }
  }
  const foreign = bytes.findIndex((byte) => byte >= 0x80);
  const sample = bytes.subarray(foreign, foreign + HEAD_BYTES);
  return decoderOf(await detectLegacyEncoding(sample))(bytes);
}
