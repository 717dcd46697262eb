import type { EvidenceFile } from '../contracts/index.ts';

/** What a follow-up asks at most. */
const MAX_QUESTIONS = 4;
/** Evidence surer than this settles a question that no model judged. */
const SETTLED = 0.5;

/**
 * What is to be looked for in the next best chunks: the gaps that a synthesis named; without one, the question
 * itself while nothing sure was found. Empty when nothing is open.
 */
export function gapsToFollow(
  question: string,
  evidence: EvidenceFile,
  synthesised: string[] | undefined,
): string[] {
  if (synthesised !== undefined) {
    return synthesised.slice(0, MAX_QUESTIONS).map((gap) => `${question}\nIn particular: ${gap}`);
  }
  return evidence.items.some((item) => item.confidence >= SETTLED) ? [] : [question];
}
