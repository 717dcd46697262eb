import { z } from 'zod';
import { type EvidenceFile, FinalAnswer } from '../contracts/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { oneLine, sha256 } from '../text/index.ts';
import { citableSpans, spansOf, withinLimit } from './answer.ts';
import { marksIn, renumberMarks, type Stretch, stretchesOf, takeAbsenceClaims } from './answer-content.ts';
import { isFullCoverage } from './coverage.ts';
import type { SourceReader } from './quotes/index.ts';
import type { Reduced } from './reduce.ts';

/** What is wrong with an answer. `message` says where, and what to do about it. */
export interface GateProblem {
  code:
    | 'shape'
    | 'nothing_cited'
    | 'speaks_of_citations'
    | 'mark_without_citation'
    | 'citation_without_mark'
    | 'unverified_source'
    | 'source_changed';
  message: string;
}

export interface GateContext extends Reduced {
  /** Reads the sources again: the gate trusts the bytes, not the record of them. */
  reader: SourceReader;
}

export type GateResult =
  /** `answer` is what may be written; `moved` are absence claims that became gaps in it. */
  { ok: true; answer: FinalAnswer; moved: string[] } | { ok: false; problems: GateProblem[] };

/** The parts that the rules need, so that an answer of the wrong size is told its other faults too. */
const Readable = z.object({
  content: z.string(),
  citations: z.array(z.object({ claim_id: z.string(), sources: z.array(z.string()) })),
  gaps: z.array(z.string()),
});
type Readable = z.infer<typeof Readable>;

const SPEAKS_OF_CITATIONS = /\bcit(?:ations?|ed|es|ing)\b|\bfootnotes?\b|引用/iu;

/**
 * Decides whether an answer may be written: its form; that it cites or says why not;
 * that every source it names is a verified span whose bytes are still those; that `[n]` is the n-th citation;
 * and that nothing is said to be absent that was not looked for everywhere: below full coverage such a
 * sentence is moved into the gaps, with the percentage that was read. All problems are reported together.
 */
export function gateAnswer(candidate: unknown, context: GateContext): GateResult {
  const parsed = FinalAnswer.safeParse(candidate);
  const problems: GateProblem[] = parsed.success ? [] : shapeProblems(parsed.error);
  const readable = Readable.safeParse(candidate);
  if (readable.success) problems.push(...ruleProblems(readable.data, context));
  if (!parsed.success || problems.length > 0) return { ok: false, problems };
  if (isFullCoverage(context.coverage)) return { ok: true, answer: parsed.data, moved: [] };
  return { ok: true, ...withoutAbsenceClaims(parsed.data, context) };
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
  const stretches = stretchesOf(answer.content, quotesOf(context.evidence));
  return [...emptyProblems(answer), ...markProblems(answer, stretches), ...sourceProblems(answer, context)];
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

function markProblems(answer: Readable, stretches: Stretch[]): GateProblem[] {
  const count = answer.citations.length;
  const marks = marksIn(stretches);
  const prose = stretches.filter((stretch) => stretch.prose).map((stretch) => stretch.text);
  const speaks =
    SPEAKS_OF_CITATIONS.exec(prose.join('\n'))?.[0] ?? (marks.length > 0 ? `[${marks[0]}]` : undefined);
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
  const spans = citableSpans(context.evidence);
  for (const [index, citation] of answer.citations.entries()) {
    for (const source of citation.sources) {
      const where = `citations[${index}] (${citation.claim_id}): '${source}'`;
      const items = spansOf(source, spans);
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
  const path = source.replace(/:\d+-\d+$/, '');
  const there = evidence.items.filter((item) => item.source === path);
  const spans = there.slice(0, 8).map((item) => `${path}:${item.line_start}-${item.line_end}`);
  if (there.length > spans.length) spans.push('…');
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

function withoutAbsenceClaims(
  answer: FinalAnswer,
  { evidence, coverage }: GateContext,
): { answer: FinalAnswer; moved: string[] } {
  const stretches = stretchesOf(answer.content, quotesOf(evidence));
  const { rest, claims } = takeAbsenceClaims(stretches);
  if (claims.length === 0) return { answer, moved: [] };
  // Marks that stood only in what was moved leave citations without one: they go, and the rest is renumbered.
  const before = marksIn(stretches);
  const after = new Set(marksIn(rest));
  const gone = new Set(before.filter((mark) => !after.has(mark)));
  const kept = answer.citations.map((_, index) => index + 1).filter((mark) => !gone.has(mark));
  const renumbered = renumberMarks(rest, (mark) => (gone.has(mark) ? undefined : kept.indexOf(mark) + 1));
  const content = renumbered
    .map((stretch) => stretch.text)
    .join('')
    .trim();
  const percent = `${coverage.total.percent_read} %`;
  const gaps = claims.map(
    (claim) =>
      `Not settled: only ${percent} of the documents' bytes were read, so this cannot be said: “${oneLine(claim.replace(/\s*\[[\d,;\s–-]+\]/g, ''), 380)}”`,
  );
  return {
    answer: {
      ...answer,
      content:
        content === '' ? `What was read (${percent} of the documents' bytes) does not settle this.` : content,
      citations: answer.citations.filter((_, index) => !gone.has(index + 1)),
      gaps: withinLimit([...gaps, ...answer.gaps]),
    },
    moved: claims,
  };
}

function quotesOf(evidence: EvidenceFile): string[] {
  return evidence.items.map((item) => item.quote);
}
