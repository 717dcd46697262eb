import type { ExtractedText } from './extract.ts';
import { htmlToText } from './html.ts';

/** The text of a Word document with its headings and lists. DOCX has no pages until it is printed. */
export async function extractDocx(bytes: Buffer): Promise<ExtractedText> {
  const { default: mammoth } = await import('mammoth');
  const { value } = await mammoth.convertToHtml(
    { buffer: bytes },
    { convertImage: mammoth.images.imgElement(async () => ({ src: '' })) },
  );
  return { text: await htmlToText(value), positions: [] };
}
