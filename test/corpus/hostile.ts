import { deflateRawSync, deflateSync } from 'node:zlib';
import { DOCX_PARTS, WORD, zipOf } from './fixtures.ts';

/** A PDF of one font and these objects, which are numbered from 4; the pages are those of `kids`. */
function pdfFrom(objects: readonly string[], kids: readonly number[]): Buffer {
  const numbered = objects.map((body, index) => `${4 + index} 0 obj${body}endobj`);
  return Buffer.from(
    [
      '%PDF-1.4',
      '1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj',
      `2 0 obj<</Type/Pages/Kids[${kids.map((kid) => `${kid} 0 R`).join(' ')}]/Count ${kids.length}>>endobj`,
      '3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj',
      ...numbered,
      'trailer<</Root 1 0 R>>',
      '%%EOF\n',
    ].join('\n'),
    'latin1',
  );
}

function streamOf(content: string, entries = ''): string {
  const bytes = deflateSync(content, { level: 9 }).toString('latin1');
  return `<<${entries}/Filter/FlateDecode/Length ${bytes.length}>>stream\n${bytes}\nendstream `;
}

function pageOf(contents: string, resources = '/Font<</F1 3 0 R>>'): string {
  return `<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents ${contents}/Resources<<${resources}>>>>`;
}

/** A page that saves its state two million times. */
export function pdfOfSavedStates(): Buffer {
  return pdfFrom([pageOf('5 0 R'), streamOf('q '.repeat(2_000_000))], [4]);
}

/** 28 forms, each of which draws the next one twice: 2^28 drawings. */
export function pdfOfNestedForms(): Buffer {
  const forms = Array.from({ length: 28 }, (_, index) => {
    const next = index === 27 ? '' : `/Resources<</XObject<</X ${7 + index} 0 R>>/Font<</F1 3 0 R>>>>`;
    const content = index === 27 ? 'BT /F1 12 Tf (x) Tj ET' : '/X Do /X Do';
    return streamOf(content, `/Type/XObject/Subtype/Form/BBox[0 0 9 9]${next}`);
  });
  return pdfFrom([pageOf('5 0 R', '/XObject<</X 6 0 R>>'), streamOf('/X Do'), ...forms], [4]);
}

/** One page 9,000 times, of a thousand lines. */
export function pdfOfRepeatedPage(): Buffer {
  const content = 'BT /F1 12 Tf (a line of text) Tj ET '.repeat(20_000);
  return pdfFrom([pageOf('5 0 R'), streamOf(content)], Array(9000).fill(4));
}

/** A page whose contents are one stream 100,000 times. */
export function pdfOfRepeatedContents(): Buffer {
  const content = 'BT /F1 12 Tf (a line of text) Tj ET '.repeat(1000);
  return pdfFrom([pageOf(`[${'5 0 R '.repeat(100_000)}]`), streamOf(content)], [4]);
}

/** A page, and ten streams that nothing uses, each of which inflates to just less than what is refused. */
export function pdfOfLargeStreams(): Buffer {
  const large = streamOf(' '.repeat(60 << 20));
  return pdfFrom(
    [pageOf('5 0 R'), streamOf('BT /F1 12 Tf (x) Tj ET'), ...Array<string>(10).fill(large)],
    [4],
  );
}

/** A Word document of 700,000 paragraphs in 70 kB. */
export function docxOfParagraphs(): Buffer {
  const paragraphs = '<w:p><w:r><w:t>x</w:t></w:r></w:p>'.repeat(700_000);
  const xml = Buffer.from(`<w:document xmlns:w="${WORD}"><w:body>${paragraphs}</w:body></w:document>`);
  return zipOf({
    ...DOCX_PARTS,
    'word/document.xml': { deflated: deflateRawSync(xml, { level: 9 }), says: xml.length },
  });
}

/** A page of a megabyte whose elements are all inside one another. */
export function nestedHtml(): string {
  return `${'<div>'.repeat(200_000)}deep`;
}
