import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { RUN_FILES } from '../contracts/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { oneLine, truncate } from '../text/index.ts';
import { jsonBytes, rowsOfOnePage } from './page.ts';

/** Bytes of JSON that an answer may take in a tool's result, and the share of its parts. */
const ANSWER_BYTES = 6000;
const CITATION_BYTES = 2200;
const GAP_BYTES = 900;
const QUOTE_CHARS = 240;
const GAP_CHARS = 240;

/** An answer as a result carries it: what fits, and where the rest is. */
export const AnswerDigest = z.object({
  content: z.string().describe('[n] refers to the n-th citation'),
  cut: z.boolean().describe('More of the content is at uri'),
  confidence: z.number(),
  citations: z.array(z.object({ n: z.int(), source: z.string(), quote: z.string() })),
  citations_total: z.int(),
  coverage: z.string().describe('How much of the documents was read'),
  gaps: z.array(z.string()),
  gaps_total: z.int(),
  path: z.string(),
  uri: z.string().describe('The whole answer, for rlm_read'),
});
export type AnswerDigest = z.infer<typeof AnswerDigest>;

/** The answer of a run in at most 6 kB; undefined when it has none, or none that can be read. */
export async function digestAnswer(run: RunHandle): Promise<AnswerDigest | undefined> {
  const path = join(run.dir, RUN_FILES.answer);
  // A link in its place is somebody else's file.
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
  const [{ readAskResult }, { citedSpans, describeCoverage }] = await Promise.all([
    import('../ask/index.ts'),
    import('../evidence/index.ts'),
  ]);
  const { answer, reduced } = readAskResult(run);
  if (answer === undefined) return undefined;
  const cited = reduced === undefined ? [] : citedSpans(answer, reduced.evidence);
  const citations = answer.citations.flatMap(({ sources }, index) =>
    sources.map((source) => {
      const item = cited[index]?.find(({ location }) => location === source) ?? cited[index]?.[0];
      return { n: index + 1, source, quote: oneLine(item?.quote ?? '', QUOTE_CHARS) };
    }),
  );
  const gaps = answer.gaps.map((gap) => oneLine(gap, GAP_CHARS));
  const digest: AnswerDigest = {
    content: '',
    cut: false,
    confidence: answer.confidence,
    citations: rowsOfOnePage(citations, CITATION_BYTES),
    citations_total: answer.citations.length,
    coverage: reduced === undefined ? 'not known' : describeCoverage(reduced.coverage),
    gaps: rowsOfOnePage(gaps, GAP_BYTES),
    gaps_total: gaps.length,
    path,
    uri: `rlm://runs/${run.id}/answer`,
  };
  return { ...digest, ...fitContent(answer.content, ANSWER_BYTES - jsonBytes(digest)) };
}

function fitContent(content: string, room: number): { content: string; cut: boolean } {
  let text = content;
  while (text.length > 100 && jsonBytes(text) > room) {
    const share = room / jsonBytes(text);
    text = truncate(content, Math.max(100, Math.floor(text.length * Math.min(share, 0.95))));
  }
  return { content: text, cut: text !== content };
}
