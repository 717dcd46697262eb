import type { Stretch } from './answer-prose.ts';

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
