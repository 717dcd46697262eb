import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { deflateRawSync, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ChunkRecord, ReadSource } from '../../src/contracts/index.ts';
import { type Corpus, ingest, openCorpus, readManifest, readSpan } from '../../src/corpus/index.ts';
import { DOCX_PARTS, docxOf, encodeAs, pdfOf, putUnreadable, WORD, workplace, zipOf } from './fixtures.ts';

async function manifestOf(run: string): Promise<ChunkRecord[]> {
  const records: ChunkRecord[] = [];
  for await (const record of readManifest(await openCorpus(run))) records.push(record);
  return records;
}

function sourceOf(corpus: Corpus, path: string): ReadSource {
  const source = corpus.sources.find((candidate) => candidate.path === path);
  if (source?.status !== 'read') throw new Error(`${path} was not read`);
  return source;
}

function textOf(corpus: Corpus, path: string): string {
  const source = sourceOf(corpus, path);
  return readFileSync(
    source.text_path === null ? source.file : join(corpus.runDir, source.text_path),
    'utf8',
  );
}

/** Every line of the manifest against the bytes of its source, read here and not by the code under test. */
function verify(corpus: Corpus, records: readonly ChunkRecord[]): void {
  const texts = new Map<string, Buffer>();
  for (const [index, record] of records.entries()) {
    const source = sourceOf(corpus, record.source);
    expect(createHash('sha256').update(readFileSync(source.file)).digest('hex')).toBe(record.source_sha256);
    const path = source.text_path === null ? source.file : join(corpus.runDir, source.text_path);
    const text = texts.get(path) ?? readFileSync(path);
    texts.set(path, text);
    const bytes = text.subarray(record.byte_start, record.byte_end);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(record.sha256);
    const linesBefore = text.subarray(0, record.byte_start).toString('latin1').split('\n').length;
    expect(record.line_start).toBe(linesBefore);
    const inside = bytes.toString('latin1').replace(/\n$/, '').split('\n').length;
    expect(record.line_end).toBe(linesBefore + inside - 1);
    expect(record.chunk_id).toBe(`c-${String(index + 1).padStart(6, '0')}`);
  }
}

describe('kinds of documents', () => {
  it('reads every kind, and the manifest holds for each', async () => {
    const place = workplace();
    place.put('notes.txt', 'Plain text about the harbour.\n');
    place.put('guide.md', '# Guide\n\nThe valve opens at noon.\n');
    place.put('code.ts', 'export function valve(): void {}\n');
    place.put('data.json', '{"valve": 7}\n');
    place.put('rows.jsonl', '{"a":1}\n{"a":2}\n');
    place.put('table.csv', 'id,remark\n1,"two\nlines"\n2,plain\n');
    place.put(
      'page.html',
      '<html><head><title>x</title><script>var hidden=1</script></head><body><h2>Tides</h2><p>High &amp; low.</p></body></html>',
    );
    place.put('report.pdf', pdfOf(['The budget was approved.', 'The second page names Ada.']));
    place.put('letter.docx', docxOf('Offer', ['We accept the terms.', 'Signed in Bremen.']));
    place.put(
      'lab.ipynb',
      JSON.stringify({
        cells: [
          { cell_type: 'markdown', source: ['# Lab\n', 'Some prose.'] },
          {
            cell_type: 'code',
            source: 'print(6 * 7)',
            outputs: [{ output_type: 'stream', text: ['42\n'] }],
          },
        ],
        nbformat: 4,
      }),
    );
    const report = await ingest(place.run, ['.'], { base: place.docs });
    expect(report.skipped).toEqual([]);
    expect(Object.keys(report.by_kind).sort()).toEqual(
      ['code', 'csv', 'docx', 'html', 'json', 'jsonl', 'markdown', 'notebook', 'pdf', 'text'].sort(),
    );
    const corpus = await openCorpus(place.run);
    verify(corpus, await manifestOf(place.run));
    expect(textOf(corpus, 'page.html')).toContain('## Tides');
    expect(textOf(corpus, 'page.html')).toContain('High & low.');
    expect(textOf(corpus, 'page.html')).not.toContain('hidden');
    expect(textOf(corpus, 'letter.docx')).toMatch(/# Offer\s+We accept the terms\.\s+Signed in Bremen\./);
    expect(textOf(corpus, 'lab.ipynb')).toContain('Output:\n42');
    // A page is told from the line.
    const pdf = textOf(corpus, 'report.pdf');
    const line = pdf.slice(0, pdf.indexOf('Ada')).split('\n').length;
    expect(await readSpan(corpus, { source: 'report.pdf', line_start: line })).toMatchObject({ page: 2 });
    const cell = textOf(corpus, 'lab.ipynb').split('\n').indexOf('print(6 * 7)') + 1;
    expect(await readSpan(corpus, { source: 'lab.ipynb', line_start: cell })).toMatchObject({ cell: 2 });
  });

  it('keeps rows of CSV whole although they hold line breaks', async () => {
    const place = workplace();
    const rows = Array.from(
      { length: 400 },
      (_, index) => `${index},"first ""part""\nsecond part ${index}"\n`,
    );
    place.put('table.csv', rows.join(''));
    await ingest(place.run, ['table.csv'], { base: place.docs, targetTokens: 100 });
    const corpus = await openCorpus(place.run);
    const records = await manifestOf(place.run);
    const text = readFileSync(join(place.docs, 'table.csv'), 'utf8');
    expect(records.length).toBeGreaterThan(5);
    for (const record of records) expect(text.slice(record.byte_start)).toMatch(/^\d+,"first/);
    verify(corpus, records);
  });
});

describe('encodings', () => {
  it('reads UTF-16 with and without a mark, Latin-1 and damaged UTF-8, and says so', async () => {
    const place = workplace();
    const words = 'Über den Fluß führt eine Brücke.\nZweite Zeile.\n'.repeat(20);
    const little = Buffer.from(words, 'utf16le');
    place.put('le-mark.txt', Buffer.concat([Buffer.from([0xff, 0xfe]), little]));
    place.put('le.txt', little);
    place.put('be-mark.txt', Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(little).swap16()]));
    place.put('be.txt', Buffer.from(little).swap16());
    place.put('latin1.txt', Buffer.from(words, 'latin1'));
    const damaged = Buffer.from(words);
    damaged[damaged.indexOf(0xc3) + 1] = 0x41;
    place.put('damaged.txt', damaged);
    place.put('utf8-mark.txt', `\ufeff${words}`);
    const report = await ingest(place.run, ['.'], { base: place.docs });
    const corpus = await openCorpus(place.run);
    verify(corpus, await manifestOf(place.run));
    for (const name of ['le-mark', 'le', 'be-mark', 'be', 'latin1']) {
      expect(textOf(corpus, `${name}.txt`)).toBe(words);
    }
    expect(sourceOf(corpus, 'damaged.txt').encoding).toBe('utf-8-repaired');
    expect(textOf(corpus, 'damaged.txt')).toContain('\ufffd');
    expect(sourceOf(corpus, 'utf8-mark.txt').text_path).toBeNull();
    expect(report.notes.map(({ path }) => path).sort()).toEqual(
      ['be-mark.txt', 'be.txt', 'damaged.txt', 'latin1.txt', 'le-mark.txt', 'le.txt'].sort(),
    );
    expect(report.notes.find(({ path }) => path === 'damaged.txt')?.note).toMatch(/invalid bytes/);
  });

  it.each([
    ['gb18030', '服务器每天凌晨三点备份数据库。阀门在中午打开。\n'],
    ['big5', '伺服器每天凌晨三點備份資料庫。閥門在中午打開。\n'],
    ['shift_jis', 'サーバーは毎日午前三時にバックアップします。弁は正午に開く。\n'],
    ['euc-jp', 'サーバーは毎日午前三時にバックアップします。弁は正午に開く。\n'],
    ['euc-kr', '서버는 매일 새벽 세 시에 데이터베이스를 백업한다. 밸브는 정오에 열린다.\n'],
    ['windows-1251', 'Резервная копия базы создаётся ночью. Клапан открывается в полдень.\n'],
    ['koi8-r', 'Резервная копия базы создаётся ночью. Клапан открывается в полдень.\n'],
    ['windows-1252', '“Déjà vu” – the café’s crème brûlée costs 5 £, or 6 € on Sundays. Größe ± 2 °C\n'],
  ])('reads a document, and a page, in %s', async (encoding, text) => {
    const place = workplace();
    const english = 'The valve opens at noon, and the pump runs until the seal breaks.\n'.repeat(40);
    const bytes = encodeAs(encoding, text);
    place.put('alone.txt', bytes);
    place.put('mixed.md', Buffer.concat([Buffer.from(english), bytes, Buffer.from(english)]));
    place.put('page.html', Buffer.concat([Buffer.from('<p>'), bytes, Buffer.from('</p>')]));
    const report = await ingest(place.run, ['.'], { base: place.docs });
    const corpus = await openCorpus(place.run);
    verify(corpus, await manifestOf(place.run));
    expect([textOf(corpus, 'alone.txt'), textOf(corpus, 'mixed.md'), textOf(corpus, 'page.html')]).toEqual([
      text,
      english + text + english,
      text,
    ]);
    expect(sourceOf(corpus, 'alone.txt').encoding).toBe(encoding);
    expect(report.notes).toContainEqual({
      path: 'mixed.md',
      note: expect.stringMatching(new RegExp(`^not UTF-8: read as ${encoding}`, 'i')),
    });
  });

  it('does not believe a page that says it is UTF-16 in single bytes', async () => {
    const place = workplace();
    const page = '<html><head><meta charset="utf-16"></head><body><p>Über den Fluß.</p></body></html>';
    // Of an even number of bytes all may be taken for UTF-16.
    place.put('0.html', page);
    place.put('1.html', `${page}\n`);
    await ingest(place.run, ['.'], { base: place.docs });
    const corpus = await openCorpus(place.run);
    expect([textOf(corpus, '0.html'), textOf(corpus, '1.html')]).toEqual(Array(2).fill('Über den Fluß.\n'));
  });

  it('finds damage beyond the first megabyte, also when a character lies across two blocks', async () => {
    const place = workplace();
    const block = 'é'.repeat(1 << 19);
    place.put('fine.txt', `x${block}\nend\n`);
    place.put('late.txt', Buffer.concat([Buffer.from(`x${block}\n`), Buffer.from([0xff, 0x0a])]));
    // The damage stands among ASCII alone: what came before tells what the document is.
    place.put('plain.txt', Buffer.concat([Buffer.from(`${block}\n`), Buffer.from([0xff, 0x0a, 0xfe, 0x0a])]));
    await ingest(place.run, ['.'], { base: place.docs });
    const corpus = await openCorpus(place.run);
    expect(sourceOf(corpus, 'fine.txt').encoding).toBe('utf-8');
    expect(sourceOf(corpus, 'late.txt').encoding).toBe('utf-8-repaired');
    expect(sourceOf(corpus, 'plain.txt').encoding).toBe('utf-8-repaired');
  });
});

describe('what is skipped', () => {
  it('names each document that cannot be read, and why', async () => {
    const place = workplace();
    place.put('good.txt', 'fine\n');
    place.put('empty.txt', '');
    place.put('image.png', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 1, 2, 3]));
    place.put('broken.pdf', '%PDF-1.4\nno more than that');
    place.put('broken.docx', 'not a zip');
    place.put('big.html', Buffer.alloc(17 * 1024 * 1024, 'x'));
    const listener = createServer().listen(join(place.docs, 'socket'));
    await once(listener, 'listening');
    symlinkSync('nowhere', join(place.docs, 'dangling'));
    symlinkSync('ring', join(place.docs, 'ring'));
    symlinkSync('good.txt', join(place.docs, 'another-name.txt'));
    symlinkSync('..', join(place.docs, 'loop'));
    const report = await ingest(place.run, ['.'], { base: place.docs });
    listener.close();
    const reasons = new Map(report.skipped.map(({ path, reason }) => [path, reason]));
    expect(Object.fromEntries(reasons)).toMatchObject({
      'image.png': 'binary',
      'broken.pdf': 'extraction_failed',
      'broken.docx': 'extraction_failed',
      'big.html': 'too_large',
      socket: 'not_a_file',
      dangling: 'broken_symlink',
      ring: 'broken_symlink',
      'another-name.txt': 'duplicate',
    });
    expect(report.notes).toContainEqual({ path: 'empty.txt', note: 'empty' });
    expect(report.sources_read + report.sources_skipped).toBe(10);
    expect(report.by_reason.broken_symlink).toBe(2);
    verify(await openCorpus(place.run), await manifestOf(place.run));
  });

  it('leaves out what would become too much, before it does, and reads what is only well packed', async () => {
    const place = workplace();
    const part = (text: string | Buffer) => {
      const bytes = Buffer.from(text);
      return { deflated: deflateRawSync(bytes), says: bytes.length };
    };
    const document = (text: string) =>
      `<w:document xmlns:w="${WORD}"><w:body><w:p><w:r><w:t>${text}</w:t></w:r></w:p></w:body></w:document>`;
    const large = Buffer.alloc(70 * 1024 * 1024, ' ');
    const bomb = { deflated: deflateRawSync(large), says: large.length };
    place.put(
      'packed.docx',
      zipOf({ ...DOCX_PARTS, 'word/document.xml': part(document('The seal held. '.repeat(50_000))) }),
    );
    place.put('bomb.docx', zipOf({ ...DOCX_PARTS, 'word/document.xml': bomb }));
    place.put('liar.docx', zipOf({ ...DOCX_PARTS, 'word/document.xml': { ...bomb, says: 200 } }));
    place.put(
      'media.docx',
      zipOf({ ...DOCX_PARTS, 'word/document.xml': part(document('x')), 'word/styles.bin': bomb }),
    );
    const parts = Object.fromEntries(
      Array.from({ length: 9 }, (_, n) => [`word/${n}.xml`, part(Buffer.alloc(4e6, ' '))]),
    );
    place.put('many.docx', zipOf({ ...DOCX_PARTS, ...parts }));
    const whole = docxOf('Offer', ['We accept.']);
    place.put('cut.docx', whole.subarray(0, whole.length - 30));
    const stream = deflateSync(large).toString('latin1');
    place.put(
      'bomb.pdf',
      Buffer.from(
        pdfOf(['x'])
          .toString('latin1')
          .replace(/stream\n.*?\nendstream/s, `stream\n${stream}\nendstream`),
        'latin1',
      ),
    );
    place.put('pages.pdf', pdfOf(Array.from({ length: 10_001 }, () => 'x')));
    const report = await ingest(place.run, ['.'], { base: place.docs });
    const left = Object.fromEntries(
      report.skipped.map(({ path, reason, detail }) => [path, `${reason}: ${detail}`]),
    );
    expect(left).toEqual({
      'bomb.docx': expect.stringMatching(
        /^too_large: with its part word\/document\.xml it inflates to more than 33554432 bytes of XML/,
      ),
      'liar.docx': expect.stringMatching(
        /^too_large: with its part word\/document\.xml it inflates to more than 33554432 bytes of XML/,
      ),
      'media.docx': expect.stringMatching(
        /^too_large: with its part word\/styles\.bin it inflates to more than 67108864 bytes/,
      ),
      'many.docx': expect.stringMatching(
        /^too_large: with its part word\/8\.xml it inflates to more than 33554432 bytes of XML/,
      ),
      'cut.docx': expect.stringMatching(/^extraction_failed: docx: /),
      'bomb.pdf': expect.stringMatching(/^too_large: a stream in it inflates to more than/),
      'pages.pdf': expect.stringMatching(/^too_large: 10001 pages/),
    });
    const corpus = await openCorpus(place.run);
    expect(textOf(corpus, 'packed.docx')).toContain('The seal held.');
  });

  it('names what went away, shrank or became unreadable after it was found', async () => {
    const place = workplace();
    for (const name of ['a', 'gone', 'shrunk'])
      place.put(`${name}.txt`, `${name} ${'x'.repeat(50)}\n`.repeat(900));
    putUnreadable(join(place.docs, 'secret.txt'));
    const report = await ingest(place.run, ['.'], {
      base: place.docs,
      onProgress: ({ documents }) => {
        if (documents !== 1) return;
        rmSync(join(place.docs, 'gone.txt'));
        truncateSync(join(place.docs, 'shrunk.txt'), 100);
      },
    });
    const reasons = Object.fromEntries(report.skipped.map(({ path, reason }) => [path, reason]));
    expect(reasons).toEqual({
      'gone.txt': 'missing',
      'secret.txt': 'unreadable',
      'shrunk.txt': 'changed',
    });
    verify(await openCorpus(place.run), await manifestOf(place.run));
  });

  it('refuses inputs that name nothing', async () => {
    const place = workplace();
    await expect(ingest(place.run, [], { base: place.docs })).rejects.toMatchObject({ code: 'usage' });
    await expect(ingest(place.run, ['gone'], { base: place.docs })).rejects.toThrow(/'gone' does not exist/);
    await expect(ingest(place.run, ['*.md'], { base: place.docs })).rejects.toThrow(/matches no file/);
  });

  it('does not leave the allowed roots, neither by name nor by a symlink', async () => {
    const place = workplace();
    const outside = workplace();
    outside.put('secret.txt', 'secret\n');
    place.put('fine.txt', 'fine\n');
    symlinkSync(outside.docs, join(place.docs, 'linked'));
    symlinkSync(join(outside.docs, 'secret.txt'), join(place.docs, 'secret.txt'));
    const options = { base: place.docs, allowedRoots: [place.docs] };
    const report = await ingest(place.run, ['.'], options);
    expect(report.sources_read).toBe(1);
    expect(report.skipped.map(({ reason }) => reason)).toEqual(['outside_roots', 'outside_roots']);
    const rejected = { code: 'forbidden' };
    await expect(ingest(place.run, [outside.docs], options)).rejects.toMatchObject(rejected);
    await expect(ingest(place.run, ['linked/secret.txt'], options)).rejects.toMatchObject(rejected);
    await expect(ingest(place.run, ['../*/docs/*.txt'], options)).rejects.toMatchObject(rejected);
  });

  it('honours nested .gitignore files, except for what is named itself', async () => {
    const place = workplace();
    place.put('.git/config', '');
    place.put('.gitignore', '*.log\nbuild/\n');
    place.put('kept.md', 'kept\n');
    place.put('a.log', 'hidden\n');
    place.put('build/out.txt', 'built\n');
    place.put('deep/.gitignore', '!special.log\n*.tmp\n');
    place.put('deep/special.log', 'shown\n');
    place.put('deep/x.tmp', 'hidden\n');
    const read = async (...inputs: string[]) => {
      await ingest(place.run, inputs, { base: place.docs });
      return (await openCorpus(place.run)).sources.map(({ path }) => path);
    };
    expect(await read('.')).toEqual(['.gitignore', 'deep/.gitignore', 'deep/special.log', 'kept.md']);
    expect(await read('deep')).toEqual(['deep/.gitignore', 'deep/special.log']);
    expect(await read('build')).toEqual(['build/out.txt']);
    expect(await read('a.log')).toEqual(['a.log']);
    expect(await read('**/*.{md,log}')).toEqual(['deep/special.log', 'kept.md']);
  });
});

describe('ingesting again', () => {
  it('cuts only the changed document anew, keeps all other hashes, and gives the same ids to the same', async () => {
    const place = workplace();
    for (let index = 0; index < 30; index += 1) {
      place.put(`d${String(index).padStart(2, '0')}.txt`, `document ${index}\n`.repeat(2000));
    }
    place.put('report.pdf', pdfOf(['One page.']));
    const first = await ingest(place.run, ['.'], { base: place.docs });
    expect(first.sources_reused).toBe(0);
    const before = await manifestOf(place.run);
    expect((await ingest(place.run, ['.'], { base: place.docs })).sources_reused).toBe(31);
    expect(await manifestOf(place.run)).toEqual(before);
    // Touched but equal: known again by its hash.
    utimesSync(join(place.docs, 'd03.txt'), new Date(0), new Date(0));
    place.put('d07.txt', `changed ${'x'.repeat(50)}\n`.repeat(1500));
    const again = await ingest(place.run, ['.'], { base: place.docs });
    expect(again.sources_reused).toBe(30);
    const after = await manifestOf(place.run);
    const hashes = (records: readonly ChunkRecord[]) =>
      records.filter(({ source }) => source !== 'd07.txt').map(({ source, sha256 }) => `${source} ${sha256}`);
    expect(hashes(after)).toEqual(hashes(before));
    verify(await openCorpus(place.run), after);
    // Another run may take over what this one knows; other settings mean cutting anew.
    const other = workplace();
    const taken = await ingest(other.run, ['.'], { base: place.docs, reuse: place.run });
    expect(taken.sources_reused).toBe(31);
    expect(await manifestOf(other.run)).toEqual(after);
    expect(
      existsSync(join(other.run, sourceOf(await openCorpus(other.run), 'report.pdf').text_path ?? '')),
    ).toBe(true);
    const recut = await ingest(place.run, ['.'], { base: place.docs, targetTokens: 300 });
    expect(recut.sources_reused).toBe(0);
  });

  it('reads a document again when an earlier run no longer has all that was extracted from it', async () => {
    const place = workplace();
    place.put('report.pdf', pdfOf(['One page.']));
    await ingest(place.run, ['.'], { base: place.docs });
    const { positions_path } = sourceOf(await openCorpus(place.run), 'report.pdf');
    rmSync(join(place.run, positions_path ?? ''));
    for (const run of [workplace().run, place.run]) {
      const report = await ingest(run, ['.'], { base: place.docs, reuse: place.run });
      expect(report).toMatchObject({ sources_read: 1, skipped: [] });
      expect(await readSpan(run, { source: 'report.pdf', line_start: 1 })).toMatchObject({ page: 1 });
    }
  });

  it('says that a corpus is cut off instead of using it, and fixes it', async () => {
    const place = workplace();
    place.put('a.txt', 'text\n');
    await expect(openCorpus(place.run)).rejects.toMatchObject({ code: 'not_found' });
    await ingest(place.run, ['.'], { base: place.docs });
    rmSync(join(place.run, 'chunks/spans.bin'));
    writeShort(join(place.run, 'chunks/manifest.jsonl'));
    await expect(openCorpus(place.run)).rejects.toMatchObject({ code: 'corrupt' });
    await ingest(place.run, ['.'], { base: place.docs });
    expect((await openCorpus(place.run)).record.chunks).toBe(1);
  });
});

function writeShort(path: string): void {
  truncateSync(path, statSync(path).size - 5);
}

describe('size', () => {
  it('lets others have their turn while a large document of another encoding is read', async () => {
    const place = workplace();
    place.put('latin1.txt', Buffer.from('Größe über Länge.\n'.repeat(2_500_000), 'latin1'));
    const started = performance.now();
    let last = started;
    let longest = 0;
    const beat = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    await ingest(place.run, ['.'], { base: place.docs });
    clearInterval(beat);
    expect(longest / (performance.now() - started)).toBeLessThan(0.15);
  });

  it('ingests a single line of 20 MB in pieces between words, and 2,000 small files', async () => {
    const place = workplace();
    place.put('line.txt', 'größe und Länge '.repeat(1_200_000).trimEnd());
    for (let index = 0; index < 2000; index += 1) place.put(`many/${index}.txt`, `file ${index}\n`);
    const report = await ingest(place.run, ['.'], { base: place.docs });
    expect(report.sources_read).toBe(2001);
    const records = (await manifestOf(place.run)).filter(({ source }) => source === 'line.txt');
    const text = readFileSync(join(place.docs, 'line.txt'));
    let at = 0;
    for (const record of records) {
      expect(record.byte_start).toBe(at);
      expect([record.line_start, record.line_end]).toEqual([1, 1]);
      if (at > 0) expect(text[at - 1]).toBe(0x20);
      at = record.byte_end;
    }
    expect(at).toBe(text.length);
  });
});
