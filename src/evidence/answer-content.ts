/*
 * The content of an answer, split into prose, which the gate judges, and verbatim parts, which it leaves alone:
 * code, and block quotes that are the words of verified evidence.
 */

/** A stretch of an answer's content. Joined, the stretches are the content again. */
export interface Stretch {
  text: string;
  prose: boolean;
}

/** `[1]`, `[2, 3]`, `[4-6]`: marks of citations. */
const MARK = /\[(\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*)\]/g;

/** What opens and closes a code block; backticks behind it on its line make it inline code (CommonMark). */
const FENCE = /^\s*(`{3,}(?=[^`]*$)|~{3,})/;

/** Splits content into stretches. @param quotes the words of all verified evidence */
export function stretchesOf(content: string, quotes: readonly string[]): Stretch[] {
  const known = quotes.map(folded);
  const stretches: Stretch[] = [];
  let block: string[] = [];
  let fence: string | undefined;
  const endBlock = () => {
    if (block.length === 0) return;
    const words = folded(block.map((line) => line.replace(/^\s*>\s?/, '')).join(' '));
    const verbatim = known.some((quote) => quote.includes(words));
    for (const line of block) push(stretches, line, !verbatim);
    block = [];
  };
  for (const line of content.split(/(?<=\n)/)) {
    const mark = FENCE.exec(line)?.[1];
    if (fence === undefined && mark === undefined && /^\s*>/.test(line)) {
      block.push(line);
      continue;
    }
    endBlock();
    if (fence !== undefined || mark !== undefined) push(stretches, line, false);
    else for (const part of line.split(/(`[^`\n]+`)/)) push(stretches, part, !/^`.*`$/.test(part));
    if (fence === undefined) fence = mark;
    else if (mark?.startsWith(fence) && line.trim() === mark) fence = undefined;
  }
  endBlock();
  return stretches;
}

/** The numbers of all marks in the prose, in order, each once. */
export function marksIn(stretches: readonly Stretch[]): number[] {
  const numbers = new Set<number>();
  for (const { text, prose } of stretches)
    if (prose) for (const [, list] of text.matchAll(MARK)) for (const n of expand(list ?? '')) numbers.add(n);
  return [...numbers];
}

/** Rewrites all marks in the prose; a number that maps to undefined goes. */
export function renumberMarks(
  stretches: readonly Stretch[],
  to: (n: number) => number | undefined,
): Stretch[] {
  const replace = (text: string) =>
    text.replace(MARK, (_mark, list: string) => {
      const numbers = expand(list)
        .map(to)
        .filter((n) => n !== undefined);
      return numbers.length === 0 ? '' : `[${numbers.join(', ')}]`;
    });
  return stretches.map(({ text, prose }) => ({ text: prose ? replace(text) : text, prose }));
}

/** Takes the brackets from marks in a text that brings none of its own. */
export function withoutMarks(text: string): string {
  return text.replace(MARK, '($1)');
}

function push(stretches: Stretch[], text: string, prose: boolean): void {
  const last = stretches.at(-1);
  if (last?.prose === prose) last.text += text;
  else if (text !== '') stretches.push({ text, prose });
}

function expand(list: string): number[] {
  return list.split(/[,;]/).flatMap((part) => {
    const [from, to] = part.split(/[–-]/).map(Number);
    if (from === undefined) return [];
    if (to === undefined || to < from || to - from > 500) return to === undefined ? [from] : [from, to];
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

function folded(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** Says what documents do not say: no citation can show that, only reading all of them. */
const ABOUT_DOCUMENTS = [
  /(?:\b(?:not|never|nowhere)|n['’]t)\s+(?:\p{L}+\s+){0,2}(?:mention|document|describe|discusse?|specifie|specify|state)(?:ed|d|s)?\b/iu,
  /\b(?:documents?|documentation|sources?|texts?|evidence|materials?|corpus|files?|passages?|pages?)\s+(?:do|does|did)(?:\s+not|n['’]t)\s+\p{L}+/iu,
  /\bno\s+(?:mention|evidence|indication|information|reference|documentation|record|trace)\b/iu,
  /\bnothing\s+(?:in|about|on|regarding)\b/iu,
  /\b(?:could|can|was|were|is|are)\s*(?:not|n['’]t)\s+(?:be\s+)?(?:find|found)\s+(?:in|any|anywhere)\b|\bcannot\s+(?:be\s+)?(?:find|found)\s+(?:in|any|anywhere)\b/iu,
  /没有提到|未提及|没有提及|未找到|没有找到|沒有提到|nicht erwähnt|keine Angaben?|keine Erwähnung|aucune mention|pas mentionn|no se menciona|sin mención|não menciona/iu,
];
/** Says that something is not there. A citation can show it, when the source itself says so. */
const EXISTENCE = [
  /\bthere\s+(?:is|are|was|were|exists?|has\s+been|have\s+been|seems?\s+to\s+be)\s+(?:no|not\s+an?y?|nothing|none|neither|nobody)\b/iu,
  /\bthere\s+(?:is|are|was|were)n['’]t\b/iu,
  /\b(?:does|do|did)(?:\s+not|n['’]t)\s+(?:exist|occur|appear)\b/iu,
  /\b(?:not|never)\s+found\b|\bno\s+such\b|\bnowhere\b|\bnone\s+exists?\b|\bdoes\s+not\s+have\s+any\b/iu,
  /^(?:no|none\s+of|nothing|nobody|neither)\s+\p{L}/iu,
  /没有任何|不存在|es gibt kein|il n['’]y a (?:pas|aucun)|no hay ning/iu,
];
const SENTENCE =
  /\S.*?(?:[.!?]+["'”’)]*(?:\s*\[[\d,;\s–-]+\])*(?=\s|$)|[。！？]+(?:\s*\[[\d,;\s–-]+\])*|$)/gu;
const LIST_SIGN = /^\s*(?:(?:[-*•>#]+|\d+[.)])\s+)+/u;
const HAS_MARK = /\[\d/;

/** Whether a sentence claims that something is absent, without showing it. */
function isAbsenceClaim(sentence: string): boolean {
  if (ABOUT_DOCUMENTS.some((pattern) => pattern.test(sentence))) return true;
  return !HAS_MARK.test(sentence) && EXISTENCE.some((pattern) => pattern.test(sentence));
}

/** Takes the sentences that claim an absence out of the prose. */
export function takeAbsenceClaims(stretches: readonly Stretch[]): { rest: Stretch[]; claims: string[] } {
  const claims: string[] = [];
  const rest = stretches.map(({ text, prose }) => ({
    text: prose ? withoutClaims(text, claims) : text,
    prose,
  }));
  return { rest, claims };
}

function withoutClaims(text: string, claims: string[]): string {
  const lines: string[] = [];
  for (const line of text.split(/(?<=\n)/)) {
    const before = claims.length;
    const sign = LIST_SIGN.exec(line)?.[0] ?? '';
    const kept =
      sign +
      line.slice(sign.length).replace(SENTENCE, (sentence) => {
        if (!isAbsenceClaim(sentence)) return sentence;
        claims.push(sentence);
        return '';
      });
    // A bullet or quote sign whose sentence went goes too.
    if (claims.length > before && /^[\s\-*•>#\d.)]*$/.test(kept)) continue;
    lines.push(claims.length > before ? kept.replace(/(?<=\S) {2,}/g, ' ') : line);
  }
  return lines.join('');
}
