import type { CoverageFile, EvidenceFile, FinalAnswer } from '../contracts/index.ts';
import { escapeMarkdown, fence, formatCount, oneLine, sanitize, unescapeMarkdown } from '../text/index.ts';
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

/** The same as Markdown for a client that renders it: what others wrote stays text, and quotes are code blocks. */
export function answerMarkdown(answer: FinalAnswer, evidence: EvidenceFile, coverage?: CoverageFile): string {
  const citations = placesOf(answer, evidence).map(
    ({ mark, source, quotes }) =>
      `${mark} ${inCode(source)}\n\n${quotes.map((quote) => fence(oneLine(quote, SHOWN_QUOTE))).join('\n\n')}`,
  );
  const { listed, more } = conflictsIn(answer, evidence);
  const conflicts = listed.map(
    ({ sides, description }) => `- ${sides.map(inCode).join(' against ')}: ${escapeMarkdown(description)}`,
  );
  const parts = [
    answer.content.trimEnd(),
    ...(citations.length === 0 ? [] : ['## Citations', ...citations]),
    ...(conflicts.length === 0 ? [] : [`## Possible conflicts`, conflicts.join('\n')]),
    ...(more === '' ? [] : [more]),
    ...(coverage === undefined ? [] : ['## Coverage', describeCoverage(coverage)]),
    ...(answer.gaps.length === 0 ? [] : ['## Gaps', answer.gaps.map((gap) => `- ${gap}`).join('\n')]),
    `Confidence ${answer.confidence}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

/** A path or a location, in which nothing is Markdown. */
function inCode(text: string): string {
  return `\`${oneLine(text, 512).replaceAll('`', "'")}\``;
}

/** Each location of each citation, with the quotes that are meant. */
function placesOf(answer: FinalAnswer, evidence: EvidenceFile) {
  const spans = new CitableSpans(evidence.items);
  const cited = citedSpans(answer, evidence);
  return answer.citations.flatMap(({ sources }, index) =>
    sources.map((source, place) => ({
      mark: place === 0 ? `[${index + 1}]` : ' '.repeat(String(index + 1).length + 2),
      source,
      quotes: spans
        .find(source)
        .filter((item) => cited[index]?.includes(item))
        .map(({ quote }) => quote),
    })),
  );
}

function citationLines(answer: FinalAnswer, evidence: EvidenceFile): string[] {
  return placesOf(answer, evidence).flatMap(({ mark, source, quotes }) => [
    `${mark} ${oneLine(source, 512)}`,
    ...quotes.map((quote) => `      “${oneLine(quote, SHOWN_QUOTE)}”`),
  ]);
}

/** Conflicts that are listed. */
const SHOWN_CONFLICTS = 10;

/**
 * Contradictory statements side by side, each with its place: those that a model names, and those of which both
 * sides are cited; and how many others there are. None for an answer without citations.
 */
function conflictsIn(answer: FinalAnswer, evidence: EvidenceFile) {
  const { conflicts, items } = evidence;
  if (conflicts.length === 0 || answer.citations.length === 0) return { listed: [], more: '' };
  const places = new Map(items.map((item) => [item.evidence_id, item.location]));
  const cited = new Set(
    citedSpans(answer, evidence).flatMap((spans) => spans.map(({ evidence_id }) => evidence_id)),
  );
  const listed = conflicts
    .filter(({ kind, evidence_ids }) => kind === 'reported' || evidence_ids.every((id) => cited.has(id)))
    .sort((a, b) => Number(b.kind === 'reported') - Number(a.kind === 'reported'))
    .slice(0, SHOWN_CONFLICTS)
    .map(({ description, evidence_ids }) => ({
      description: oneLine(description, 500),
      sides: evidence_ids.map((id) => oneLine(places.get(id) ?? id, 512)),
    }));
  const others = conflicts.length - listed.length;
  const which = listed.length === 0 ? 'among quotes that are not cited' : 'more';
  return {
    listed,
    more: others === 0 ? '' : `${formatCount(others)} ${which}: see reduce/evidence.json`,
  };
}

function conflictsText(answer: FinalAnswer, evidence: EvidenceFile): string {
  const { listed, more } = conflictsIn(answer, evidence);
  const lines = listed.flatMap(({ sides, description }) => [
    `  - ${sides.join(' against ')}`,
    `      ${description}`,
  ]);
  if (more !== '') lines.push(`  ${more}`);
  return `Possible conflicts (${formatCount(evidence.conflicts.length)})\n${lines.join('\n')}`;
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
