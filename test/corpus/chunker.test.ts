import { describe, expect, it } from 'vitest';
import type { SourceKind } from '../../src/contracts/index.ts';
import { type ChunkSpan, cutChunks } from '../../src/corpus/ingest/chunker.ts';

/** A small generator with a seed, so that a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const PIECES = [
  'a',
  'word ',
  'é',
  '漢字',
  '😀',
  '\n',
  '\n\n',
  '\r\n',
  '# Heading\n',
  '  indented\n',
  '"',
  ',',
  '\n## Two\n',
];

function cut(text: Buffer, kind: SourceKind, targetBytes: number, overlapLines: number): ChunkSpan[] {
  const source = {
    size: text.length,
    // Short reads, as a pipe or a network file system gives them.
    read: (buffer: Buffer, offset: number, length: number, position: number) =>
      text.copy(buffer, offset, position, position + Math.min(length, 1000)),
  };
  return Array.from(cutChunks(source, { kind, targetBytes, overlapLines }), (chunk) => ({
    ...chunk,
    bytes: Buffer.from(chunk.bytes),
  }));
}

describe('cutChunks', () => {
  it('covers every byte, keeps code points and lines whole, and stays under the target', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const next = random(seed);
      const pieces = Array.from(
        { length: 20 + Math.floor(next() * 600) },
        () => PIECES[Math.floor(next() * PIECES.length)],
      );
      const text = Buffer.from(pieces.join(''));
      const kind = (['text', 'markdown', 'code', 'csv', 'jsonl'] as const)[seed % 5] ?? 'text';
      const target = 16 + Math.floor(next() * 200);
      const chunks = cut(text, kind, target, seed % 4);
      let covered = 0;
      for (const chunk of chunks) {
        const where = `seed ${seed} at ${chunk.start}`;
        expect(chunk.start, where).toBeLessThanOrEqual(covered);
        expect(chunk.end, where).toBeGreaterThan(covered);
        expect(chunk.bytes.equals(text.subarray(chunk.start, chunk.end)), where).toBe(true);
        expect(chunk.end - chunk.start, where).toBeLessThanOrEqual(target);
        // Only what is whole survives decoding and encoding.
        expect(Buffer.from(chunk.bytes.toString('utf8')).equals(chunk.bytes), where).toBe(true);
        expect(chunk.lineStart, where).toBe(
          text.subarray(0, chunk.start).toString('latin1').split('\n').length,
        );
        const endsInLine = chunk.end < text.length && text[chunk.end - 1] !== 0x0a;
        if (endsInLine) {
          // Then no line ends within the chunk: that line alone is larger than a chunk.
          expect(chunk.bytes.includes(0x0a), where).toBe(false);
        }
        covered = chunk.end;
      }
      expect(covered, `seed ${seed}`).toBe(text.length);
    }
  });

  it('begins chunks at headings, and at definitions in code', () => {
    const section = (name: string) => `## ${name}\n\n${'Some prose about it.\n'.repeat(12)}\n`;
    const prose = Buffer.from(Array.from({ length: 12 }, (_, index) => section(`Part ${index}`)).join(''));
    for (const chunk of cut(prose, 'markdown', 600, 2)) expect(chunk.bytes.toString()).toMatch(/^## Part/);
    const definition = (name: string) =>
      `export function ${name}(): void {\n${'  work();\n\n'.repeat(20)}}\n\n`;
    const code = Buffer.from(Array.from({ length: 12 }, (_, index) => definition(`f${index}`)).join(''));
    for (const chunk of cut(code, 'code', 600, 2)) expect(chunk.bytes.toString()).toMatch(/^export function/);
  });

  it('repeats the last lines where it cuts inside a section', () => {
    const text = Buffer.from(Array.from({ length: 200 }, (_, index) => `line number ${index}\n`).join(''));
    const chunks = cut(text, 'text', 500, 2);
    for (const [index, chunk] of chunks.slice(1).entries()) {
      const before = chunks[index]?.bytes.toString().trimEnd().split('\n') ?? [];
      expect(chunk.bytes.toString().split('\n').slice(0, 2)).toEqual(before.slice(-2));
    }
    expect(cut(Buffer.alloc(0), 'text', 500, 2)).toEqual([]);
  });
});
