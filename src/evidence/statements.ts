import type { EvidenceFile, FinalAnswer } from '../contracts/index.ts';
import { oneLine } from '../text/index.ts';
import { citedSpans, withinLimit } from './answer.ts';
import { AnswerContent, marksIn, type Sentence } from './answer-content.ts';
import { supportsNegation } from './claims/index.ts';
import { isFullCoverage } from './coverage.ts';
import type { Reduced } from './reduce.ts';

/* What the sentences of an answer must show: an absence was looked for everywhere, and a statement is cited. */

/** Says what documents do not say: no citation can show that, only reading all of them. */
const ABOUT_DOCUMENTS = [
  /(?:\b(?:not|never|nowhere)|n['’]t)\s+(?:\p{L}+\s+){0,2}(?:mention|document|describe|discusse?|specifie|specify|state)(?:ed|d|s)?\b/iu,
  /\b(?:documents?|documentation|sources?|texts?|evidence|materials?|corpus|files?|passages?|pages?)\s+(?:do|does|did)(?:\s+not|n['’]t)\s+\p{L}+/iu,
  /\bno\s+(?:mention|evidence|indication|information|reference|documentation|record|trace)\b/iu,
  /\bnothing\s+(?:in|about|on|regarding)\b/iu,
  /\b(?:no|none|not|never|nowhere|nobody|nothing|neither|without)\b.*\b(?:in|of|throughout|across)\s+(?:any|all|none)?\s*(?:of\s+)?(?:the|these|those)\s+(?:documents?|documentation|sources?|texts?|evidence|corpus|files)\b/iu,
  /\b(?:could|can|was|were|is|are)\s*(?:not|n['’]t)\s+(?:be\s+)?(?:find|found)\s+(?:in|any|anywhere)\b|\bcannot\s+(?:be\s+)?(?:find|found)\s+(?:in|any|anywhere)\b/iu,
  /没有提到|未提及|没有提及|未找到|没有找到|沒有提到|nicht erwähnt|keine Angaben?|keine Erwähnung|aucune mention|pas mentionn|no se menciona|sin mención|não menciona/iu,
];
/** Says that something is not there. A citation can show it, when the source itself says so. */
const EXISTENCE = [
  /\bthere\s+(?:is|are|was|were|exists?|has\s+been|have\s+been|seems?\s+to\s+be)\s+(?:no(?!\s+need\b)|not\s+an?y?|nothing|none|neither|nobody)\b/iu,
  /\bthere\s+(?:is|are|was|were)n['’]t\b/iu,
  /\b(?:does|do|did)(?:\s+not|n['’]t)\s+(?:exist|occur|appear)\b/iu,
  /\b(?:not|never)\s+found\b|\bno\s+such\b|\bnowhere\b|\bnone\s+exists?\b|\bdoes\s+not\s+have\s+any\b/iu,
  /^(?:no|none\s+of|nothing|nobody|neither)\s+\p{L}/iu,
  /没有任何|不存在|es gibt kein|il n['’]y a (?:pas|aucun)|no hay ning/iu,
];

/**
 * Whether a sentence claims that something is absent, without showing it.
 *
 * @param quotes what it cites: a source may say itself that something is not there
 */
function isAbsenceClaim(sentence: string, quotes: readonly string[]): boolean {
  if (ABOUT_DOCUMENTS.some((pattern) => pattern.test(sentence))) return true;
  return EXISTENCE.some((pattern) => pattern.test(sentence)) && !supportsNegation(sentence, quotes);
}

const HAS_MARK = /\[\d/;

/** Moves the sentences that claim an absence into the gaps, unless everything was read or a cited source says so. */
export function withoutAbsenceClaims(
  answer: FinalAnswer,
  { evidence, coverage }: Reduced,
): { answer: FinalAnswer; moved: string[] } {
  if (isFullCoverage(coverage)) return { answer, moved: [] };
  const content = contentOf(answer.content, evidence);
  const cited = citedSpans(answer, { ...evidence, citations: [] });
  const quotesOf = (text: string) =>
    marksIn(text).flatMap((mark) => (cited[mark - 1] ?? []).map(({ quote }) => quote));
  const claims = content.sentences.filter(({ text }) => isAbsenceClaim(text, quotesOf(text)));
  if (claims.length === 0) return { answer, moved: [] };
  // Marks only in what was moved leave citations without one: they go, and the rest is renumbered.
  const left = new Set(contentOf(content.rewrite(claims, same), evidence).marks);
  const gone = new Set(content.marks.filter((mark) => !left.has(mark)));
  const kept = answer.citations.map((_, index) => index + 1).filter((mark) => !gone.has(mark));
  const rest = content.rewrite(claims, (mark) => (gone.has(mark) ? undefined : kept.indexOf(mark) + 1));
  const percent = `${coverage.total.percent_read} %`;
  const gaps = claims.map(
    ({ text }) =>
      `Not settled: only ${percent} of the documents' bytes were read, so this cannot be said: “${oneLine(text.replace(/\s*\[[\d,;\s–-]+\]/g, ''), 380)}”`,
  );
  return {
    answer: {
      ...answer,
      content:
        rest === '' ? `What was read (${percent} of the documents' bytes) does not settle this.` : rest,
      citations: answer.citations.filter((_, index) => !gone.has(index + 1)),
      gaps: withinLimit([...gaps, ...answer.gaps]),
    },
    moved: claims.map(({ text }) => text),
  };
}

/** Statements that neither carry a mark nor are named in the gaps. Without any mark a single one is what is cited. */
export function uncitedStatements(answer: FinalAnswer, { evidence }: Reduced): string[] {
  const content = contentOf(answer.content, evidence);
  const statements = content.sentences.filter(isStatement);
  if (content.marks.length === 0 && answer.citations.length > 0 && statements.length === 1) return [];
  const gaps = answer.gaps.map(lettersOf).join(' ');
  return statements
    .filter(({ text }) => !HAS_MARK.test(text) && !gaps.includes(lettersOf(text)))
    .map(({ text }) => text);
}

/** Says something: no heading, no question, no lead-in of a list, no scrap. */
function isStatement({ text, heading }: Sentence): boolean {
  if (heading || /[:?：？]["'”’)*_]*$/.test(text)) return false;
  return (text.match(/[\p{L}\p{N}]+/gu)?.length ?? 0) >= 3 || /\p{Script=Han}.*\p{Script=Han}/u.test(text);
}

function lettersOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** The content of an answer, with its verified quotes told apart. */
export function contentOf(content: string, evidence: EvidenceFile): AnswerContent {
  return new AnswerContent(
    content,
    evidence.items.map((item) => item.quote),
  );
}

function same(mark: number): number {
  return mark;
}
