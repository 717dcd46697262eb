import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll } from 'vitest';

const made: string[] = [];
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** A directory for documents and one for the run, removed after the file's tests. */
export function workplace(): {
  docs: string;
  run: string;
  put(name: string, content: string | Buffer): string;
} {
  const root = mkdtempSync(join(tmpdir(), 'rlm-corpus-'));
  made.push(root);
  const docs = join(root, 'docs');
  mkdirSync(docs);
  return {
    docs,
    run: join(root, 'run'),
    put(name, content) {
      const path = join(docs, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      return path;
    },
  };
}

/** A file that can be seen and not read, by nobody: root reads what nobody may read, but not what the kernel only takes. */
export function putUnreadable(path: string): void {
  if (process.getuid?.() === 0) symlinkSync('/sys/bus/cpu/uevent', path);
  else writeFileSync(path, 'nobody may read this\n', { mode: 0 });
}

/** A text in an encoding that Node only reads: its characters of one and of two bytes, looked up in the decoder. */
export function encodeAs(encoding: string, text: string): Buffer {
  // Node 20 reads this one as Latin-1.
  const bytes = new Map<string, number[]>(
    encoding === 'windows-1252'
      ? [...'“”’–€'].map((sign, at) => [sign, [[0x93, 0x94, 0x92, 0x96, 0x80][at] ?? 0]])
      : [],
  );
  const decoder = new TextDecoder(encoding, { fatal: true });
  for (let first = 0; first < 256; first += 1) {
    for (const pair of [[first], ...Array.from({ length: 256 }, (_, second) => [first, second])]) {
      try {
        const character = decoder.decode(Uint8Array.from(pair));
        if ([...character].length === 1 && !bytes.has(character)) bytes.set(character, pair);
      } catch {
        // Nothing has these bytes.
      }
    }
  }
  return Buffer.from(
    [...text].flatMap((character) => {
      const found = bytes.get(character);
      if (found === undefined) throw new Error(`no ${encoding} for ${character}`);
      return found;
    }),
  );
}

/** A PDF of one line a page. */
export function pdfOf(pages: readonly string[]): Buffer {
  const kids = pages.map((_, index) => `${4 + index * 2} 0 R`).join(' ');
  const objects = [
    '1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj',
    `2 0 obj<</Type/Pages/Kids[${kids}]/Count ${pages.length}>>endobj`,
    '3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj',
    ...pages.flatMap((text, index) => {
      const stream = `BT /F1 12 Tf 72 700 Td (${text}) Tj ET`;
      return [
        `${4 + index * 2} 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents ${5 + index * 2} 0 R/Resources<</Font<</F1 3 0 R>>>>>>endobj`,
        `${5 + index * 2} 0 obj<</Length ${stream.length}>>stream\n${stream}\nendstream endobj`,
      ];
    }),
  ];
  return Buffer.from(`%PDF-1.4\n${objects.join('\n')}\ntrailer<</Root 1 0 R>>\n%%EOF\n`);
}

const FORMATS = 'http://schemas.openxmlformats.org';
export const WORD = `${FORMATS}/wordprocessingml/2006/main`;
/** What a Word document has besides its text. */
export const DOCX_PARTS = {
  '[Content_Types].xml': `<Types xmlns="${FORMATS}/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
  '_rels/.rels': `<Relationships xmlns="${FORMATS}/package/2006/relationships"><Relationship Id="rId1" Type="${FORMATS}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`,
};

/** A Word document of a heading and paragraphs. */
export function docxOf(heading: string, paragraphs: readonly string[]): Buffer {
  const paragraph = (text: string, style = '') => `<w:p>${style}<w:r><w:t>${text}</w:t></w:r></w:p>`;
  const body = [
    paragraph(heading, '<w:pPr><w:pStyle w:val="Heading1"/></w:pPr>'),
    ...paragraphs.map((text) => paragraph(text)),
  ].join('');
  return zipOf({
    ...DOCX_PARTS,
    'word/document.xml': `<w:document xmlns:w="${WORD}"><w:body>${body}</w:body></w:document>`,
  });
}

/** A part of an archive: its bytes, or what it is deflated to; with another size than it says, when told so. */
type Part = string | { deflated: Buffer; says: number };

/** A zip archive, of whole or deflated parts. */
export function zipOf(files: Record<string, Part>): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const data = typeof content === 'string' ? Buffer.from(content) : content.deflated;
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(20, 4);
    header.writeUInt16LE(typeof content === 'string' ? 0 : 8, 8);
    header.writeUInt32LE(crc32(data), 14);
    header.writeUInt32LE(data.length, 18);
    header.writeUInt32LE(typeof content === 'string' ? data.length : content.says, 22);
    header.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    header.copy(entry, 6, 4, 30);
    entry.writeUInt32LE(offset, 42);
    local.push(header, Buffer.from(name), data);
    central.push(entry, Buffer.from(name));
    offset += header.length + name.length + data.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 8);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}
