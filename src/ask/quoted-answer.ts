import type { CoverageFile, EvidenceFile, FinalAnswer } from '../contracts/index.ts';
import { extractiveAnswer, MAX_EXTRACTS } from '../evidence/index.ts';
import { rankQuotes, type WorkerName } from '../workers/index.ts';

/**
 * The answer that no model wrote: the best quotes. Those that a model chose stand by its confidence; those that
 * the extractive reader chose by their words compete once more, now with the quotes of all chunks on one scale,
 * and none is shown when none bears on the question enough.
 */
export function quotedAnswer(
  question: string,
  { evidence, coverage }: { evidence: EvidenceFile; coverage: CoverageFile },
  reader: WorkerName,
): FinalAnswer {
  if (reader !== 'extractive') return extractiveAnswer(question, evidence, coverage);
  const ranked = rankQuotes(question, evidence.items, MAX_EXTRACTS);
  const best = ranked.map(({ quote, score }) => ({ ...quote, confidence: score }));
  return extractiveAnswer(question, evidence, coverage, { best });
}
