import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';

const Answer = z.object({
  content: z.string(),
  confidence: z.number(),
  citations: z.array(z.object({ claim_id: z.string(), sources: z.array(z.string()).min(1) })),
  gaps: z.array(z.string()),
});
export type Answer = z.infer<typeof Answer>;
const Evidence = z.object({
  counts: z.record(z.string(), z.unknown()),
  items: z.array(
    z.object({
      source: z.string(),
      location: z.string(),
      byte_start: z.number(),
      byte_end: z.number(),
      line_start: z.number(),
      line_end: z.number(),
      sha256: z.string(),
      quote: z.string(),
    }),
  ),
});
export type Evidence = z.infer<typeof Evidence>;
const Source = z.object({ path: z.string(), file: z.string(), text_path: z.string().nullish() });

export function readAnswer(runDir: string): Answer {
  return Answer.parse(json(resolve(runDir, 'out/answer.json')));
}

export function readEvidence(runDir: string): Evidence {
  return Evidence.parse(json(resolve(runDir, 'reduce/evidence.json')));
}

/**
 * Checks every citation of a run's answer against the documents themselves, with nothing of the program's own:
 * the bytes are those of the quote, their hash is the one on record, and the lines cited hold the quoted words.
 *
 * @returns the answer, and the distinct quotes behind its citations
 */
export function verifyAnswer(runDir: string): { answer: Answer; quotes: string[] } {
  const answer = readAnswer(runDir);
  const { items } = readEvidence(runDir);
  const files = new Map(
    readFileSync(resolve(runDir, 'chunks/sources.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => Source.parse(JSON.parse(line)))
      .map((source) => [
        source.path,
        typeof source.text_path === 'string' ? resolve(runDir, source.text_path) : source.file,
      ]),
  );
  const quotes = new Set<string>();
  for (const location of answer.citations.flatMap(({ sources }) => sources)) {
    const [, path = '', first, last] = /^(.+):(\d+)-(\d+)$/s.exec(location) ?? [];
    const spans = items.filter(
      (item) =>
        item.location === location ||
        (item.source === path && item.line_start <= Number(first) && item.line_end >= Number(last)),
    );
    expect(spans, location).not.toEqual([]);
    for (const item of spans) {
      const bytes = readFileSync(files.get(item.source) ?? `no document '${item.source}'`);
      const span = bytes.subarray(item.byte_start, item.byte_end);
      expect(span.toString('utf8')).toBe(item.quote);
      expect(createHash('sha256').update(span).digest('hex')).toBe(item.sha256);
      const lines = bytes
        .toString('utf8')
        .split('\n')
        .slice(item.line_start - 1, item.line_end)
        .join('\n');
      expect(lines).toContain(item.quote);
      quotes.add(item.quote);
    }
  }
  for (const [, mark] of answer.content.matchAll(/\[(\d+)\]/g)) {
    expect(answer.citations[Number(mark) - 1], `[${mark}]`).toBeDefined();
  }
  return { answer, quotes: [...quotes] };
}

function json(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
