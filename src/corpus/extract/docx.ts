import { htmlToText } from './html.ts';
import { type ExtractedText, headingsOf } from './text.ts';
import { refuseZipBomb } from './zip.ts';

/** Bytes of XML that are made a tree of, at most: thousands of pages. */
const MAX_XML_BYTES = 32 * 1024 * 1024;

/** The text of a Word document with its headings and lists. DOCX has no pages until it is printed. */
export async function extractDocx(bytes: Buffer): Promise<ExtractedText> {
  refuseZipBomb(bytes, MAX_XML_BYTES);
  const { default: mammoth } = await import('mammoth');
  const { value } = await mammoth.convertToHtml(
    { buffer: bytes },
    { convertImage: mammoth.images.imgElement(async () => ({ src: '' })) },
  );
  const text = await htmlToText(value);
  return { text, positions: headingsOf(text) };
}
