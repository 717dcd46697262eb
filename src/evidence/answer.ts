import {
  type CoverageFile,
  type EvidenceFile,
  FINAL_LIMITS,
  type FinalAnswer,
  RUN_FILES,
  type VerifiedEvidence,
} from '../contracts/index.ts';
import { formatCount, oneLine } from '../text/index.ts';
import { describeCoverage, isFullCoverage } from './coverage.ts';

/* What every answer is made of, whoever writes it: its citations, its gaps and its confidence. */

/** Where the two files of a reduce lie in a run directory. */

/** A span by lines of the text that was read: `path:first_line-last_line`. Unlike its location it means few spans. */
export function sourceString(item: Pick<VerifiedEvidence, 'source' | 'line_start' | 'line_end'>): string {
  return `${item.source}:${item.line_start}-${item.line_end}`;
}

/** Whether a span can be cited at all: the answer's format has room for so long a path only. */
export function isCitable(item: VerifiedEvidence): boolean {
  return Math.max(sourceString(item).length, item.location.length) <= FINAL_LIMITS.source;
}

/** The verified spans that may be cited. */
export class CitableSpans {
  readonly #bySource = new Map<string, VerifiedEvidence[]>();
  readonly #byLocation = new Map<string, VerifiedEvidence[]>();

  constructor(items: readonly VerifiedEvidence[]) {
    for (const item of items) {
      this.#bySource.set(item.source, [...(this.#bySource.get(item.source) ?? []), item]);
      this.#byLocation.set(item.location, [...(this.#byLocation.get(item.location) ?? []), item]);
    }
  }

  /**
   * The spans that a source string means: those of exactly these lines of the text, or with this location; else
   * the smallest one that these lines lie in. A range that reaches beyond what was verified means none.
   */
  find(source: string): readonly VerifiedEvidence[] {
    const parts = /^(.+):(\d{1,9})-(\d{1,9})$/s.exec(source);
    const [start, end] = [Number(parts?.[2]), Number(parts?.[3])];
    const items = (start <= end && this.#bySource.get(parts?.[1] ?? '')) || [];
    const exact = items.filter((item) => item.line_start === start && item.line_end === end);
    if (exact.length > 0) return exact;
    const located = this.#byLocation.get(source);
    if (located !== undefined) return located;
    const around = items
      .filter((item) => item.line_start <= start && end <= item.line_end)
      .sort((a, b) => a.line_end - a.line_start - (b.line_end - b.line_start));
    return around.slice(0, 1);
  }
}

/** The verified spans behind each citation of an answer, in its order. */
export function citedSpans(
  answer: Pick<FinalAnswer, 'citations'>,
  evidence: EvidenceFile,
): VerifiedEvidence[][] {
  const spans = new CitableSpans(evidence.items);
  const byId = new Map(evidence.items.map((item) => [item.evidence_id, item]));
  return answer.citations.map(({ claim_id, sources }, index) => {
    const known = evidence.citations?.[index];
    if (known?.claim_id === claim_id) return known.evidence_ids.flatMap((id) => byId.get(id) ?? []);
    return [...new Set(sources.flatMap((source) => spans.find(source)))];
  });
}

/** Gaps of each kind that an answer lists; the rest is counted. All of them are in `reduce/evidence.json`. */
const LISTED = { worker_gap: 20, failed_job: 10, rejected_quote: 10, worker_error: 10 } as const;

/**
 * The gaps that an answer must name whoever wrote it: what was not read, which quotes were refused (never
 * their invented words), what workers could not find. `own` come first.
 */
export function gapsFor(own: readonly string[], evidence: EvidenceFile, coverage: CoverageFile): string[] {
  const { counts } = evidence;
  const gaps = [...own];
  if (!isFullCoverage(coverage)) gaps.push(`Not everything was read: ${describeCoverage(coverage)}.`);
  if (counts.quotes_rejected > 0)
    gaps.push(
      `${formatCount(counts.quotes_rejected)} of ${formatCount(counts.quotes)} quotes that workers gave are not in their source and were refused.`,
    );
  if (counts.items_dropped > 0)
    gaps.push(`${formatCount(counts.items_dropped)} further quotes of lower confidence were not used.`);
  for (const kind of ['worker_gap', 'failed_job', 'rejected_quote', 'worker_error'] as const) {
    const ofKind = evidence.gaps.filter((gap) => gap.kind === kind);
    const listed = ofKind.slice(0, LISTED[kind]);
    gaps.push(...listed.map((gap) => (gap.count > 1 ? `${gap.text} (${gap.count} times)` : gap.text)));
    if (ofKind.length > listed.length)
      gaps.push(
        `${formatCount(ofKind.length - listed.length)} more of this kind (${kind.replace('_', ' ')}).`,
      );
  }
  const distinct = [...new Set(gaps.map((gap) => oneLine(gap, FINAL_LIMITS.gap)))].filter(
    (gap) => gap !== '',
  );
  return withinLimit(distinct);
}

/** As many gaps as an answer has room for; how many more there are is one of them. */
export function withinLimit(gaps: string[]): string[] {
  if (gaps.length <= FINAL_LIMITS.gaps) return gaps;
  const kept = gaps.slice(0, FINAL_LIMITS.gaps - 1);
  return [...kept, `And ${gaps.length - kept.length} more gaps.`];
}

/** The answer with further gaps, which come first. */
export function addGaps(answer: FinalAnswer, gaps: readonly string[]): FinalAnswer {
  const added = gaps.map((gap) => oneLine(gap, FINAL_LIMITS.gap));
  return { ...answer, gaps: withinLimit([...new Set([...added, ...answer.gaps])]) };
}

/** What is left of an answer's confidence when its evidence seems to contradict itself. */
const CONFLICT_FACTOR = 0.8;

/** The confidence of an answer: between 0 and 1, with two digits. */
export function answerConfidence(value: number, conflicting: boolean): number {
  const weighed = value * (conflicting ? CONFLICT_FACTOR : 1);
  return Math.round(Math.min(1, Math.max(0, weighed)) * 100) / 100;
}

/** `c-0001` for the first. */
export function claimId(index: number): string {
  return `c-${String(index + 1).padStart(4, '0')}`;
}

/** An answer that cites nothing, because there is nothing to cite: what was asked and what was read. */
export function unanswered(asked: string, evidence: EvidenceFile, coverage: CoverageFile): FinalAnswer {
  return {
    content: `The question stays open: what was read gave no quote that bears on it. ${describeCoverage(coverage)}.`,
    confidence: 0,
    citations: [],
    gaps: gapsFor(
      [`Unanswered after reading ${coverage.total.percent_read} %: ${asked}`],
      evidence,
      coverage,
    ),
    artifacts: [RUN_FILES.evidence, RUN_FILES.coverage],
  };
}
