import type { CoverageFile, EvidenceFile, FinalAnswer } from '../contracts/index.ts';
import { formatCount, oneLine, sanitize, unescapeMarkdown } from '../text/index.ts';
import { CitableSpans, citedSpans } from './answer.ts';
import { describeCoverage } from './coverage.ts';

/** Words of a quote that the list of citations shows, in characters. */
const SHOWN_QUOTE = 320;

/**
 * An answer as a person reads it at a terminal: the content with its `[n]` marks; then each citation with
 * its location and the quoted words; then conflicts, coverage and gaps. No control character of a document or
 * a model reaches the terminal.
 */
export function renderAnswer(answer: FinalAnswer, evidence: EvidenceFile, coverage?: CoverageFile): string {
  const parts = [forTerminal(answer.content)];
  if (answer.citations.length > 0) parts.push(`Citations\n${citationLines(answer, evidence).join('\n')}`);
  if (evidence.conflicts.length > 0 && answer.citations.length > 0)
    parts.push(conflictsText(answer, evidence));
  if (coverage !== undefined) parts.push(`Coverage\n  ${describeCoverage(coverage)}`);
  if (answer.gaps.length > 0)
    parts.push(`Gaps\n${answer.gaps.map((gap) => `  - ${oneLine(unescapeMarkdown(gap), 500)}`).join('\n')}`);
  parts.push(`Confidence ${answer.confidence}`);
  return `${parts.join('\n\n')}\n`;
}

function citationLines(answer: FinalAnswer, evidence: EvidenceFile): string[] {
  const spans = new CitableSpans(evidence.items);
  const cited = citedSpans(answer, evidence);
  return answer.citations.flatMap((citation, index) =>
    citation.sources.flatMap((source, place) => [
      `${place === 0 ? `[${index + 1}]` : ' '.repeat(String(index + 1).length + 2)} ${oneLine(source, 512)}`,
      ...spans
        .find(source)
        .filter((item) => cited[index]?.includes(item))
        .map((item) => `      “${oneLine(item.quote, SHOWN_QUOTE)}”`),
    ]),
  );
}

/** Conflicts that are listed. */
const SHOWN_CONFLICTS = 10;

/**
 * Contradictory statements side by side, each with its place: those that a model names, and those of which both
 * sides are cited. How many others there are is said.
 */
function conflictsText(answer: FinalAnswer, evidence: EvidenceFile): string {
  const { conflicts, items } = evidence;
  const places = new Map(items.map((item) => [item.evidence_id, item.location]));
  const cited = new Set(
    citedSpans(answer, evidence).flatMap((spans) => spans.map(({ evidence_id }) => evidence_id)),
  );
  const listed = conflicts
    .filter(({ kind, evidence_ids }) => kind === 'reported' || evidence_ids.every((id) => cited.has(id)))
    .sort((a, b) => Number(b.kind === 'reported') - Number(a.kind === 'reported'))
    .slice(0, SHOWN_CONFLICTS);
  const lines = listed.flatMap(({ description, evidence_ids }) => {
    const sides = evidence_ids.map((id) => oneLine(places.get(id) ?? id, 512));
    return [`  - ${sides.join(' against ')}`, `      ${oneLine(description, 500)}`];
  });
  const more = conflicts.length - listed.length;
  const others = listed.length === 0 ? 'among quotes that are not cited' : 'more';
  if (more > 0) lines.push(`  ${formatCount(more)} ${others}: see reduce/evidence.json`);
  return `Possible conflicts (${formatCount(conflicts.length)})\n${lines.join('\n')}`;
}

/** Markdown as it reads best without a renderer: no escapes, and quoted passages behind `>`. */
function forTerminal(content: string): string {
  let fence: string | undefined;
  const lines = unescapeMarkdown(sanitize(content))
    .split('\n')
    .flatMap((line) => {
      const mark = /^(`{3,})(?:text)?$/.exec(line)?.[1];
      if (fence === undefined && line === `${mark}text`) fence = mark;
      else if (fence !== undefined && mark === fence && line === fence) fence = undefined;
      else return [fence === undefined ? line : `> ${line}`];
      return [];
    });
  return lines.join('\n').trimEnd();
}
