import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ingest, openCorpus, readSpan } from '../../src/corpus/index.ts';
import { workplace } from './fixtures.ts';

describe('readSpan', () => {
  it('pages through a document without losing or repeating a byte', async () => {
    const place = workplace();
    const text = Array.from({ length: 3000 }, (_, index) => `Zeile ${index}: größer als 漢字 😀\n`).join('');
    place.put('long.txt', text);
    await ingest(place.run, ['.'], { base: place.docs });
    const corpus = await openCorpus(place.run);
    let read = await readSpan(corpus, { source: 'long.txt', byte_start: 0 });
    let whole = read.text;
    let lines = read.line_end;
    while (read.next !== null) {
      expect(Buffer.byteLength(read.text)).toBeLessThanOrEqual(8192);
      read = await readSpan(corpus, read.next);
      expect(read.line_start).toBe(lines + 1);
      lines = read.line_end;
      whole += read.text;
    }
    expect(whole).toBe(text);
    expect(lines).toBe(3000);
  });

  it('reads lines, bytes and chunks, each as the document has them', async () => {
    const place = workplace();
    const lines = Array.from({ length: 5000 }, (_, index) => `line ${index + 1}`);
    place.put('a.txt', `${lines.join('\n')}\n`);
    place.put('b.txt', 'no newline at the end');
    await ingest(place.run, ['.'], { base: place.docs, targetTokens: 200 });
    const corpus = await openCorpus(place.run);
    for (const [first, last] of [
      [1, 1],
      [2, 3],
      [777, 790],
      [4999, 5000],
    ] as const) {
      const read = await readSpan(corpus, { source: 'a.txt', line_start: first, line_end: last });
      expect(read).toMatchObject({
        text: `${lines.slice(first - 1, last).join('\n')}\n`,
        line_start: first,
        line_end: last,
        next: null,
        state: 'unchanged',
      });
    }
    const bytes = readFileSync(join(place.docs, 'a.txt'));
    const some = await readSpan(corpus, { source: 'a.txt', byte_start: 1000, byte_end: 1100 });
    expect(some.text).toBe(bytes.toString('utf8', 1000, 1100));
    expect(some.line_start).toBe(bytes.toString('utf8', 0, 1000).split('\n').length);
    const chunk = await readSpan(corpus, { chunk_id: 'c-000003' });
    expect(chunk.text).toBe(bytes.toString('utf8', chunk.byte_start, chunk.byte_end));
    expect(chunk.chunk_id).toBe('c-000003');
    expect(await readSpan(corpus, { source: 'b.txt', line_start: 1 })).toMatchObject({
      line_end: 1,
      next: null,
    });
  });

  it('never cuts a character, and never passes 64 kB', async () => {
    const place = workplace();
    place.put('wide.txt', '漢'.repeat(100_000));
    await ingest(place.run, ['.'], { base: place.docs });
    const corpus = await openCorpus(place.run);
    const read = await readSpan(corpus, { source: 'wide.txt', byte_start: 1 }, { maxBytes: 10_000_000 });
    expect(read.byte_start).toBe(0);
    expect(read.text).toMatch(/^漢+$/);
    expect(Buffer.byteLength(read.text)).toBeGreaterThan(65_000);
    expect(Buffer.byteLength(read.text)).toBeLessThanOrEqual(65_536);
  });

  it('says when the document is no longer what was ingested', async () => {
    const place = workplace();
    place.put('a.txt', 'first\nsecond\n');
    await ingest(place.run, ['.'], { base: place.docs });
    place.put('a.txt', 'first\nchanged here\n');
    expect(await readSpan(place.run, { chunk_id: 'c-000001' })).toMatchObject({ state: 'changed' });
    expect(await readSpan(place.run, { source: 'a.txt', line_start: 2 })).toMatchObject({ state: 'changed' });
  });

  it('refuses what is not there, and says what is', async () => {
    const place = workplace();
    place.put('a.txt', 'one\ntwo\n');
    place.put('image.bin', Buffer.from([0, 1, 2, 3]));
    await ingest(place.run, ['.'], { base: place.docs });
    const corpus = await openCorpus(place.run);
    await expect(readSpan(corpus, { chunk_id: 'c-000009' })).rejects.toMatchObject({
      code: 'not_found',
      hint: expect.objectContaining({ text: expect.stringContaining('c-000001') }),
    });
    await expect(readSpan(corpus, { source: '/etc/passwd', line_start: 1 })).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(readSpan(corpus, { source: 'image.bin', line_start: 1 })).rejects.toThrow(
      /skipped \(binary/,
    );
    await expect(readSpan(corpus, { source: 'a.txt', line_start: 9 })).rejects.toMatchObject({
      code: 'usage',
      hint: expect.objectContaining({ text: expect.stringContaining('2 lines') }),
    });
  });
});
