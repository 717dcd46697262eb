import { z } from 'zod';
import { type EvidenceFile, FINAL_LIMITS, FinalAnswer } from '../contracts/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { escapeMarkdown, oneLine, sanitize, sha256 } from '../text/index.ts';
import { CitableSpans, citedSpans, sourceString, withinLimit } from './answer.ts';
import { type AnswerContent, inertMarkdown, marksIn } from './answer-content.ts';
import { unsupportedParts } from './claims/index.ts';
import type { SourceReader } from './quotes/index.ts';
import type { Reduced } from './reduce.ts';
import { contentOf, uncitedStatements, withoutAbsenceClaims } from './statements.ts';

/** What is wrong with an answer. `message` says where, and what to do about it. */
export interface GateProblem {
  code:
    | 'shape'
    | 'nothing_cited'
    | 'speaks_of_citations'
    | 'mark_without_citation'
    | 'citation_without_mark'
    | 'unverified_source'
    | 'unsupported_claim'
    | 'source_changed';
  message: string;
}

export interface GateContext extends Reduced {
  /** Reads the sources again: the gate trusts the bytes, not the record of them. */
  reader: SourceReader;
  /**
   * Whether statements are looked for that cite nothing, or something that does not say so. What this program
   * composed was checked before.
   */
  checkStatements?: boolean;
}

export type GateResult =
  /**
   * `answer` is what may be written; `moved` are absence claims that became gaps in it; `uncited` are statements
   * without a citation, each of which its gaps name. `evidence` tells which spans each citation means.
   */
  | { ok: true; answer: FinalAnswer; evidence: EvidenceFile; moved: string[]; uncited: string[] }
  | { ok: false; problems: GateProblem[] };

/** The parts that the rules need, so that an answer of the wrong size is told its other faults too. */
const Readable = z.object({
  content: z.string(),
  citations: z.array(z.object({ claim_id: z.string(), sources: z.array(z.string()) })),
  gaps: z.array(z.string()),
});
type Readable = z.infer<typeof Readable>;

const SPEAKS_OF_CITATIONS = /\bcit(?:ations?|ed|es|ing)\b|\bfootnotes?\b|引用/iu;

/**
 * Decides whether an answer may be written: its form; that it cites or says why not; that every source it names
 * is a verified span whose bytes are still those; that `[n]` is the n-th citation; and that nothing is said to be
 * absent that was not looked for everywhere: below full coverage such a sentence is moved into the gaps, with
 * the percentage that was read. All problems are reported together. In what may be written no image, link or HTML
 * is left that a client would load.
 */
export function gateAnswer(candidate: unknown, context: GateContext): GateResult {
  const parsed = FinalAnswer.safeParse(candidate);
  const readable = Readable.safeParse(candidate);
  const problems = [
    ...(parsed.success ? [] : shapeProblems(parsed.error)),
    ...(readable.success ? ruleProblems(readable.data, context) : []),
  ];
  if (!parsed.success || problems.length > 0) return { ok: false, problems };
  const safe = FinalAnswer.safeParse(withoutLiveMarkdown(parsed.data));
  if (!safe.success) return { ok: false, problems: shapeProblems(safe.error) };
  const { answer, moved } = withoutAbsenceClaims(safe.data, context);
  const uncited = context.checkStatements === true ? uncitedStatements(answer, context) : [];
  const gaps = uncited.map((statement) => `No evidence is cited for: “${oneLine(statement, 400)}”`);
  const named = { ...answer, gaps: withinLimit([...answer.gaps, ...gaps]) };
  return { ok: true, ...withLocations(named, context.evidence), moved, uncited };
}

/** Citations as a person can open them, and on record which spans they mean. */
function withLocations(
  answer: FinalAnswer,
  evidence: EvidenceFile,
): { answer: FinalAnswer; evidence: EvidenceFile } {
  const spans = new CitableSpans(evidence.items);
  // What is on record belongs to an earlier answer.
  const known = citedSpans(answer, { ...evidence, citations: [] });
  const locations = (source: string) =>
    spans.find(source).map((item) => {
      const opens = item.location !== sourceString(item) && item.location.length <= FINAL_LIMITS.source;
      return opens ? item.location : source;
    });
  const citations = answer.citations.map((citation) => ({
    ...citation,
    sources: [...new Set(citation.sources.flatMap(locations))].slice(0, FINAL_LIMITS.sourcesPerCitation),
  }));
  const meant = answer.citations.map(({ claim_id }, index) => ({
    claim_id,
    evidence_ids: (known[index] ?? []).map(({ evidence_id }) => evidence_id),
  }));
  return { answer: { ...answer, citations }, evidence: { ...evidence, citations: meant } };
}

function withoutLiveMarkdown(answer: FinalAnswer): FinalAnswer {
  const gaps = answer.gaps.map((gap) => oneLine(escapeMarkdown(gap), FINAL_LIMITS.gap));
  return {
    ...answer,
    content: inertMarkdown(sanitize(answer.content)),
    gaps: gaps.filter((gap) => gap !== ''),
  };
}

/** The error for an answer that was refused, with every problem in it. */
export function gateError(problems: readonly GateProblem[]): RlmError {
  const list = problems.map((problem, index) => `${index + 1}. ${problem.message}`).join('\n');
  return new RlmError('usage', `The answer was not accepted:\n${list}`, {
    hint: 'Fix all of these and finalize again. Cite only spans listed in reduce/evidence.json; name what they do not show in gaps.',
    retryable: true,
  });
}

function shapeProblems(error: z.ZodError): GateProblem[] {
  return error.issues.map((issue) => ({
    code: 'shape',
    message: `${issue.path.length === 0 ? 'the answer' : issue.path.join('.')}: ${issue.message}`,
  }));
}

function ruleProblems(answer: Readable, context: GateContext): GateProblem[] {
  // A content that is too long is refused for that; to read it would take long too.
  const content =
    answer.content.length > FINAL_LIMITS.content ? undefined : contentOf(answer.content, context.evidence);
  return [
    ...emptyProblems(answer),
    ...(content === undefined ? [] : markProblems(answer, content)),
    ...sourceProblems(answer, context),
    ...(content === undefined || context.checkStatements !== true
      ? []
      : claimProblems(answer, content, context.evidence)),
  ];
}

/** Sentences that say what the evidence they cite does not, as far as that can be compared. */
function claimProblems(answer: Readable, content: AnswerContent, evidence: EvidenceFile): GateProblem[] {
  const cited = citedSpans(answer, { ...evidence, citations: [] });
  return content.sentences.flatMap(({ text }): GateProblem[] => {
    const items = marksIn(text).flatMap((mark) => cited[mark - 1] ?? []);
    if (items.length === 0) return [];
    const parts = unsupportedParts(text.replace(/\[\d[\d,;\s–-]*\]/g, ' '), {
      quotes: items.map(({ quote }) => quote),
      context: items.flatMap(({ source, heading = '', origins }) => [
        source,
        heading,
        ...origins.map(({ question }) => question),
      ]),
    });
    if (parts.length === 0) return [];
    const message = `“${oneLine(text, 200)}” says ${parts.join(', ')}, which what it cites does not: say it as the evidence does, cite the evidence that says so, or name it in gaps.`;
    return [{ code: 'unsupported_claim', message }];
  });
}

function emptyProblems(answer: Readable): GateProblem[] {
  const problems: GateProblem[] = [];
  if (answer.content.trim() === '')
    problems.push({ code: 'shape', message: 'content is blank: say what was found, or that nothing was.' });
  if (answer.citations.length === 0 && answer.gaps.length === 0)
    problems.push({
      code: 'nothing_cited',
      message: 'citations and gaps are both empty: cite evidence, or say in gaps what could not be answered.',
    });
  return problems;
}

function markProblems(answer: Readable, { marks, prose }: AnswerContent): GateProblem[] {
  const count = answer.citations.length;
  const speaks = SPEAKS_OF_CITATIONS.exec(prose)?.[0] ?? (marks.length > 0 ? `[${marks[0]}]` : undefined);
  if (count === 0) {
    return speaks === undefined
      ? []
      : [
          {
            code: 'speaks_of_citations',
            message: `content speaks of citations ('${speaks}') and citations is empty: list them, or take that out of the content.`,
          },
        ];
  }
  const unknown = marks.filter((mark) => mark < 1 || mark > count);
  const unused =
    marks.length === 0
      ? []
      : answer.citations.flatMap((_, index) => (marks.includes(index + 1) ? [] : [index + 1]));
  return [
    ...unknown.map(
      (mark): GateProblem => ({
        code: 'mark_without_citation',
        message: `content has the mark [${mark}], and there are ${count} citations: use [1] to [${count}].`,
      }),
    ),
    ...unused.map(
      (mark): GateProblem => ({
        code: 'citation_without_mark',
        message: `citation ${mark} (${answer.citations[mark - 1]?.claim_id ?? ''}) has no mark [${mark}] in the content: put it behind the claim, or drop the citation.`,
      }),
    ),
  ];
}

function sourceProblems(answer: Readable, context: GateContext): GateProblem[] {
  const problems: GateProblem[] = [];
  const checked = new Map<string, string | undefined>();
  const spans = new CitableSpans(context.evidence.items);
  for (const [index, citation] of answer.citations.entries()) {
    for (const source of citation.sources) {
      const where = `citations[${index}] (${citation.claim_id}): '${source}'`;
      const items = spans.find(source);
      if (items.length === 0) {
        problems.push({
          code: 'unverified_source',
          message: `${where} ${unverified(source, context.evidence)}`,
        });
        continue;
      }
      for (const item of items) {
        if (!checked.has(item.evidence_id)) checked.set(item.evidence_id, changed(item, context.reader));
        const fault = checked.get(item.evidence_id);
        if (fault !== undefined) problems.push({ code: 'source_changed', message: `${where} ${fault}` });
      }
    }
  }
  return problems;
}

function unverified(source: string, evidence: EvidenceFile): string {
  const there = evidence.items.filter(
    (item) =>
      source === item.source || source.startsWith(`${item.source}:`) || source.startsWith(`${item.source}#`),
  );
  const locations = [...new Set(there.map(({ location }) => location))];
  const spans = [...locations.slice(0, 8), ...(locations.length > 8 ? ['…'] : [])];
  return spans.length === 0
    ? 'is not verified evidence, and nothing else in that document is: drop the claim, or name it in gaps.'
    : `is not verified evidence. Verified there: ${spans.join(', ')}. Cite one of these, or name the claim in gaps.`;
}

function changed(item: EvidenceFile['items'][number], reader: SourceReader): string | undefined {
  try {
    const bytes = reader.read(item.source, item.byte_start, item.byte_end);
    if (sha256(bytes) === item.sha256) return undefined;
    return 'has changed since it was read: ingest and ask again.';
  } catch (error) {
    return `can no longer be read (${messageOf(error)}).`;
  }
}
