import { misplacedNumbers, unknownAmounts } from './amounts.ts';
import { addsNegation, changedNegations } from './negations.ts';
import { changedModals, swappedOpposites } from './polarity.ts';
import { substitutedWords } from './substitutions.ts';
import { type Token, tokensOf } from './tokens.ts';

/*
 * A claim says in its own words what its evidence says. What can be compared without understanding is compared:
 * numbers with their units, names and addresses, negations, what must, should or may be, words that have an opposite,
 * and the one word that differs where a claim repeats a sentence otherwise. The lists are English; in other languages
 * numbers, names and the presence of a negation are compared. How often that is right is measured by bench/claims.ts.
 */

/** What a claim is checked against. */
export interface ClaimBasis {
  /** The words of the evidence it cites. */
  quotes: readonly string[];
  /** Where names may come from as well: the question, headings, paths. */
  context: readonly string[];
}

/** Below this share of known words a claim is in another language or about something else: scopes say nothing. */
const MIN_OVERLAP = 0.4;

/**
 * What a claim says that its evidence does not, in words for the one who wrote it; empty when nothing was found.
 *
 * @param claim without citation marks
 */
export function unsupportedParts(claim: string, { quotes, context }: ClaimBasis): string[] {
  const said = tokensOf(claim);
  const cited = tokensOf(quotes.join('\n'));
  const around = tokensOf(context.join('\n'));
  const known = [...cited, ...around];
  const withoutAsides = quotes.join('\n').replace(/\([^()]*\)/g, ' ');
  const comparable = isComparable(said, known);
  return [
    ...new Set([
      ...unknownAmounts(said, known, cited),
      ...misplacedNumbers(said, cited, around),
      ...unknownNames(said, known, quotes, context),
      ...(comparable ? [...changedNegations(said, cited), ...changedModals(said, cited)] : []),
      ...(comparable ? swappedOpposites(said, cited) : []),
      ...substitutedWords(said, [...cited, ...tokensOf(`. ${withoutAsides}`)], around),
    ]),
  ];
}

const IDENTIFIER =
  /[_/\\@$#~]|^--?\p{L}|\(\)$|::|->|\.\p{L}|\p{Ll}\p{Lu}|^\p{Lu}[\p{Lu}\p{N}]+$|^\p{Lu}+-\p{Lu}|\p{L}\d|\d\p{L}|^https?:/u;
/** Whether so many words of a claim are known that its clauses can be compared. */
function isComparable(said: readonly Token[], known: readonly Token[]): boolean {
  const stems = new Set(known.map(({ stem }) => stem));
  const content = said.filter(({ stem }) => stem !== '');
  return content.filter(({ stem }) => stems.has(stem)).length >= content.length * MIN_OVERLAP;
}

/** Whether quotes say themselves what a sentence denies: they deny something about the same. */
export function supportsNegation(sentence: string, quotes: readonly string[]): boolean {
  const [said, cited] = [tokensOf(sentence.replace(/\[\d[\d,;\s–-]*\]/g, ' ')), tokensOf(quotes.join('\n'))];
  return quotes.length > 0 && isComparable(said, cited) && !addsNegation(said, cited);
}

/** `e.g`, `i.e`, `U.S`. */
const ABBREVIATION = /^\p{L}(?:\.\p{L})+$/u;
/** Every noun of such a language has a capital. */
const GERMAN = /\b(?:der|die|das|und|ist|nicht|ein|eine|wird|mit|von|für)\b/giu;

function unknownNames(
  said: readonly Token[],
  known: readonly Token[],
  quotes: readonly string[],
  context: readonly string[],
): string[] {
  const text = [...quotes, ...context].join('\n').normalize('NFKC').toLowerCase();
  const words = new Set(known.flatMap(({ lower, stem }) => [lower, stem, lower.replace(/'s$/, '')]));
  const claim = said.map(({ raw }) => raw).join(' ');
  const nouns = (claim.match(GERMAN)?.length ?? 0) >= 2;
  return said.flatMap(({ raw, lower, stem, first }) => {
    if (words.has(lower) || words.has(stem) || words.has(lower.replace(/'s$/, ''))) return [];
    if (ABBREVIATION.test(raw)) return [];
    if (IDENTIFIER.test(raw)) {
      const bare = lower.replace(/^[$@#]|\(\)$/g, '');
      // An amount with its unit was compared as such, and `v9` of a release is a number.
      if (/^-?\d+(?:\.\d+)*[a-z%°€]{0,4}$/.test(lower) || text.includes(bare)) return [];
      return [`the name ${raw}`];
    }
    const capital = /^\p{Lu}\p{Ll}/u.test(raw) && !first && !nouns;
    const compound = /^\p{Ll}+(?:-\p{Ll}+)+$/u.test(raw);
    const parts = lower.split('-').filter((part) => part.length > 2);
    const partly = parts.some((part) => text.includes(part.slice(0, Math.max(3, part.length - 2))));
    return (capital && !partly) || (compound && !partly) ? [`the name ${raw}`] : [];
  });
}
