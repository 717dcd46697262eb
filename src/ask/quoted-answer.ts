import type { FinalAnswer } from '../contracts/index.ts';
import { type Corpus, chunkFrequencies } from '../corpus/index.ts';
import { extractiveAnswer, MAX_EXTRACTS, type Reduced } from '../evidence/index.ts';
import { questionStems, rankQuotes, rarityIn } from '../workers/extractive/index.ts';
import type { WorkerName } from '../workers/index.ts';

/**
 * The answer that no model wrote: the best quotes. Those that a model chose stand by its confidence; those that
 * the extractive reader chose by their words compete once more, now with the quotes of all chunks on one scale
 * and by how rare their words are in the documents. None is shown when none bears on the question enough.
 */
export async function quotedAnswer(
  question: string,
  { evidence, coverage }: Reduced,
  from: { corpus: Corpus; root: string; reader: WorkerName; signal: AbortSignal },
): Promise<FinalAnswer> {
  if (from.reader !== 'extractive') return extractiveAnswer(question, evidence, coverage);
  const holding = await chunkFrequencies(from.corpus, questionStems(question), {
    signal: from.signal,
  });
  const rarity = rarityIn((stem) => holding.get(stem), from.corpus.record.chunks);
  const ranked = rankQuotes(question, evidence.items, MAX_EXTRACTS, rarity);
  const best = ranked.map(({ quote, score }) => ({ ...quote, confidence: score }));
  return extractiveAnswer(question, evidence, coverage, { best });
}
