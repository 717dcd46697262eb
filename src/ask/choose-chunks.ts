import type { Expansion } from '../contracts/index.ts';
import { type Corpus, chunkIdOf, indexDirectory, search } from '../corpus/index.ts';
import { MAX_PACKED, type QuestionChunks } from './build-jobs.ts';

/** Which chunks go to work, and who chose them. */
export interface ChosenChunks {
  by: 'all' | 'scan' | 'index';
  /** Why that way. */
  reason: string;
  questions: QuestionChunks[];
  notes: string[];
}

/** Every chunk's id when the whole corpus fits one job, else undefined. */
export function everyChunk(corpus: Corpus, packTokens: number): string[] | undefined {
  if (corpus.record.tokens > packTokens || corpus.record.chunks > MAX_PACKED) return undefined;
  return Array.from({ length: corpus.record.chunks }, (_, ordinal) => chunkIdOf(ordinal));
}

/** The chunks that bear best on each question, none twice and none that was read before. */
export async function chooseChunks(
  corpus: Corpus,
  questions: string[],
  options: {
    root: string;
    /** Chunks in all, shared between the questions. */
    topK: number;
    expansion: Expansion | null;
    /** Chunks that are not to be chosen again. */
    without: ReadonlySet<string>;
    signal: AbortSignal;
  },
): Promise<ChosenChunks & { by: 'scan' | 'index' }> {
  if (corpus.record.chunks === 0)
    return { by: 'scan', reason: 'there is no text', questions: [], notes: ['there is no text to search'] };
  const terms =
    options.expansion === null ? [] : [...options.expansion.terms, ...options.expansion.phrasings];
  const results = await search(
    corpus,
    questions.map((text) => ({ text, expandedTerms: terms })),
    {
      mode: 'bm25',
      // Room for those that were read before.
      topK: options.topK + options.without.size,
      indexDirectory: indexDirectory(options.root),
      signal: options.signal,
    },
  );
  const taken = new Set(options.without);
  const chosen: QuestionChunks[] = questions.map((question) => ({ question, chunkIds: [] }));
  // In turn, the best first, so that no question takes all.
  for (let rank = 0, left = options.topK; left > 0; rank += 1) {
    if (results.every(({ hits }) => hits[rank] === undefined)) break;
    for (const [index, { hits }] of results.entries()) {
      const id = hits[rank]?.chunk_id;
      if (id === undefined || taken.has(id) || left === 0) continue;
      taken.add(id);
      left -= 1;
      chosen[index]?.chunkIds.push(id);
    }
  }
  return {
    by: results[0]?.engine ?? 'scan',
    reason: results[0]?.engine_reason ?? '',
    questions: chosen,
    notes: results.flatMap(({ notes }) => notes),
  };
}
