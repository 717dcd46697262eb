import { type CoverageFile, type EvidenceFile, FINAL_LIMITS } from '../contracts/index.ts';
import { formatCount, oneLine } from '../text/index.ts';
import { describeCoverage, isFullCoverage } from './coverage.ts';

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
