import { type EvidenceFile, FINAL_LIMITS, type VerifiedEvidence } from '../contracts/index.ts';

/** Verified spans by the document they stand in. */
export type CitableSpans = ReadonlyMap<string, readonly VerifiedEvidence[]>;

/** How a span is cited: `path:first_line-last_line`. */
export function sourceString(item: Pick<VerifiedEvidence, 'source' | 'line_start' | 'line_end'>): string {
  return `${item.source}:${item.line_start}-${item.line_end}`;
}

/** Whether a span can be cited at all: the answer's format has room for so long a path only. */
export function isCitable(item: VerifiedEvidence): boolean {
  return sourceString(item).length <= FINAL_LIMITS.source;
}

export function citableSpans(evidence: Pick<EvidenceFile, 'items'>): CitableSpans {
  const spans = new Map<string, VerifiedEvidence[]>();
  for (const item of evidence.items) {
    const list = spans.get(item.source);
    if (list === undefined) spans.set(item.source, [item]);
    else list.push(item);
  }
  return spans;
}

/**
 * The verified spans that a source string stands for: those of exactly these lines, else the smallest one that
 * these lines lie in. A range that reaches beyond what was verified stands for none.
 */
export function spansOf(source: string, spans: CitableSpans): readonly VerifiedEvidence[] {
  const parts = /^(.+):(\d{1,9})-(\d{1,9})$/s.exec(source);
  const items = spans.get(parts?.[1] ?? '');
  if (parts === null || items === undefined) return [];
  const [start, end] = [Number(parts[2]), Number(parts[3])];
  if (start > end) return [];
  const exact = items.filter((item) => item.line_start === start && item.line_end === end);
  if (exact.length > 0) return exact;
  const around = items
    .filter((item) => item.line_start <= start && end <= item.line_end)
    .sort((a, b) => a.line_end - a.line_start - (b.line_end - b.line_start));
  return around.slice(0, 1);
}
