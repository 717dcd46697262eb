import type { CoverageFile, EvidenceFile, FinalAnswer, VerifiedEvidence } from '../contracts/index.ts';
import { RUN_FILES } from '../contracts/index.ts';
import { fence, formatCount, oneLine, sanitize } from '../text/index.ts';
import { answerConfidence, claimId, gapsFor, isCitable, sourceString, unanswered } from './answer.ts';
import { withoutMarks } from './answer-content.ts';
import { describePlace } from './location.ts';

/** Quotes that an extractive answer shows, and the size of its content, in characters. */
export const MAX_EXTRACTS = 8;
const MAX_CONTENT = 16_000;
/** Choosing sentences by their words is not understanding them: no such answer is surer than this. */
const MAX_CONFIDENCE = 0.7;
const WHY = {
  number: 'they name different numbers',
  negation: 'one negates the other',
  reported: 'reported',
} as const;

/**
 * An answer without a model: the best quotes, word for word, under the documents they come from; labelled as what
 * it is. It passes the gate. How many were not shown is said.
 *
 * @param best items of the evidence as they bear on the question, the best first; default: the most confident ones
 */
export function extractiveAnswer(
  question: string,
  evidence: EvidenceFile,
  coverage: CoverageFile,
  best: readonly VerifiedEvidence[] = surest(evidence.items).slice(0, MAX_EXTRACTS),
): FinalAnswer {
  const shown = groupBySource(best);
  const asked = oneLine(question, 400);
  if (shown.length === 0) return unanswered(asked, evidence, coverage);
  const conflicts = conflictLines(evidence, shown);
  const further = evidence.items.length - shown.length;
  const own = further === 0 ? [] : [`${formatCount(further)} further quotes are in reduce/evidence.json.`];
  return {
    content: [
      `Extractive answer: the documents' own words, chosen by how they bear on the question.`,
      `Question: \`${asked.replaceAll('`', "'")}\``,
      ...bySource(shown),
      ...(conflicts.length === 0 ? [] : ['## Possible conflicts', conflicts.join('\n')]),
    ].join('\n\n'),
    confidence: confidenceOf(shown, conflicts.length > 0),
    citations: shown.map((item, index) => ({ claim_id: claimId(index), sources: [sourceString(item)] })),
    gaps: gapsFor(own, evidence, coverage),
    artifacts: [RUN_FILES.evidence, RUN_FILES.coverage],
  };
}

/** The most confident first. */
function surest(items: readonly VerifiedEvidence[]): VerifiedEvidence[] {
  return items.filter(isCitable).sort((a, b) => b.confidence - a.confidence);
}

/** As many of the best as the answer has room for; those of one document together. */
function groupBySource(best: readonly VerifiedEvidence[]): VerifiedEvidence[] {
  const taken = new Map<string, VerifiedEvidence[]>();
  let size = 0;
  for (const item of best) {
    size += item.quote.length + item.source.length + 40 + item.quote.split('\n').length * 2;
    if (size > MAX_CONTENT) break;
    taken.set(item.source, [...(taken.get(item.source) ?? []), item]);
  }
  return [...taken.values()].flat();
}

function bySource(shown: readonly VerifiedEvidence[]): string[] {
  const parts: string[] = [];
  let source: string | undefined;
  for (const [index, item] of shown.entries()) {
    if (item.source !== source) parts.push(`## ${heading(item.source)}`);
    source = item.source;
    const place = withoutMarks(describePlace(item)).replaceAll('`', "'");
    parts.push(`[${index + 1}] ${place}:\n${fence(sanitize(item.quote))}`);
  }
  return parts;
}

/** A path that could be taken for a mark, such as `pages/[1].md`, is set as code. */
function heading(source: string): string {
  const plain = oneLine(source, 400);
  return /[[\]`]/.test(plain) ? `\`${plain.replaceAll('`', "'")}\`` : plain;
}

function conflictLines(evidence: EvidenceFile, shown: readonly VerifiedEvidence[]): string[] {
  const marks = new Map(shown.map((item, index) => [item.evidence_id, index + 1]));
  return evidence.conflicts.slice(0, 20).flatMap((conflict) => {
    const numbers = conflict.evidence_ids.flatMap((id) => marks.get(id) ?? []).sort((a, b) => a - b);
    if (numbers.length < 2) return [];
    const cited = numbers.map((n) => `[${n}]`).join(' and ');
    return [`- ${cited} may contradict each other: ${WHY[conflict.kind]}.`];
  });
}

function confidenceOf(shown: readonly VerifiedEvidence[], conflicting: boolean): number {
  const best = shown
    .map((item) => item.confidence)
    .sort((a, b) => b - a)
    .slice(0, 3);
  const mean = best.reduce((sum, value) => sum + value, 0) / best.length;
  return answerConfidence(Math.min(MAX_CONFIDENCE, mean), conflicting);
}
