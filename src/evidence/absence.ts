import { supportsNegation } from './claims/index.ts';

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
export function isAbsenceClaim(sentence: string, quotes: readonly string[]): boolean {
  if (ABOUT_DOCUMENTS.some((pattern) => pattern.test(sentence))) return true;
  return EXISTENCE.some((pattern) => pattern.test(sentence)) && !supportsNegation(sentence, quotes);
}
