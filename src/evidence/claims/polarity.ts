import { NEGATIONS } from '../quotes/index.ts';
import { keyOf, oppositesOf } from './related-words.ts';
import { bestSentence, sentencesOf, type Token } from './tokens.ts';

const OBLIGATIONS =
  /^(?:must|shall|required?|requires|requirement|needs?|mandatory|necessary|obliged|obligatory)$/;
const PERMISSIONS = /^(?:may|can|could|might|optional|optionally|allowed|allows?|permitted|possible|able)$/;
const ADVICE = /^(?:should|ought|recommended|recommends?|advised)$/;
const WEAK = /^(?:might|could)$/;

/** What a clause demands, allows or advises. */
const MODALS = { obligation: OBLIGATIONS, permission: PERMISSIONS, advice: ADVICE } as const;

/** Obligations without the word: "do not exceed", "have to", "may not", "only", "is to be". */
const IMPLIED_OBLIGATION =
  /^(?:do not|never|always) |\b(?:have|has|had|are|is) to\b|\b(?:may|can|could|allowed|permitted) (?:not|never)\b|\bnot (?:be )?(?:allowed|permitted)\b|\b(?:only|unless|cannot|expected to|provided that)\b/u;

/** A modal word with the first word that it is about. */
interface Modal {
  kind: keyof typeof MODALS;
  word: string;
  head: string;
  negated: boolean;
}

function modalsIn(tokens: readonly Token[]): Modal[] {
  return tokens.flatMap(({ lower }, index): Modal[] => {
    const kind = (['obligation', 'permission', 'advice'] as const).find((one) => MODALS[one].test(lower));
    if (kind === undefined) return [];
    const head = tokens.slice(index + 1, index + 5).find(({ stem }) => stem !== '')?.stem ?? '';
    const negated = [index - 1, index + 1].some((at) => NEGATIONS.has(tokens[at]?.lower ?? ''));
    return [{ kind, word: lower, head, negated }];
  });
}

/** What a claim demands, allows or advises otherwise than its evidence. */
export function changedModals(said: readonly Token[], cited: readonly Token[]): string[] {
  const sentences = sentencesOf(cited);
  const known = modalsIn(cited);
  return sentencesOf(said).flatMap((sentence) => {
    const modals = modalsIn(sentence);
    const about = bestSentence(sentence, sentences);
    return modals.flatMap((modal) => {
      const alike = known.filter(({ head }) => head !== '' && head === modal.head);
      if (alike.length > 0) {
        // "Must not" and "may not" forbid alike.
        const same = alike.some(
          (one) => one.kind === modal.kind || (one.negated && modal.negated && one.kind !== 'advice'),
        );
        return same ? [] : [`'${modal.word}'`];
      }
      // With two kinds in a sentence it is not clear which belongs to what.
      if (new Set(modals.map(({ kind }) => kind)).size > 1) return [];
      return isUnheard(modal, sentence, about, known) ? [`'${modal.word}'`] : [];
    });
  });
}

/** Whether the sentence of the evidence about the same has a modal of another kind, or the evidence none of this one. */
function isUnheard(
  { kind, word }: Modal,
  sentence: readonly Token[],
  about: readonly Token[],
  known: readonly Modal[],
): boolean {
  const text = about.map(({ lower }) => lower).join(' ');
  if (kind === 'obligation' && IMPLIED_OBLIGATION.test(text)) return false;
  const own = modalsIn(about).map((modal) => modal.kind);
  const negated = [...sentence, ...about].some(({ lower }) => NEGATIONS.has(lower));
  if (own.length > 0 && !own.includes(kind) && !(negated && kind === 'permission')) return true;
  const anywhere = known.some((modal) => modal.kind === kind);
  return !anywhere && (kind === 'obligation' || WEAK.test(word)) && !isCommand(about);
}

/** "Store below 25 °C": begins with a verb, not with what does something. */
function isCommand(sentence: readonly Token[]): boolean {
  return (
    /^(?:the|your|it|a|an|all|each|below|above|at|in|on|to|with)$/.test(sentence[1]?.lower ?? '') &&
    !/^(?:the|a|an|it|this|that|these|in|on|at|with|by|for|of|if)$/.test(sentence[0]?.lower ?? '')
  );
}

/** Words of the claim in whose place the evidence has an opposite: in the sentence it is about, or everywhere. */
export function swappedOpposites(said: readonly Token[], cited: readonly Token[]): string[] {
  const sentences = sentencesOf(cited);
  return sentencesOf(said).flatMap((claim) => {
    const best = bestSentence(claim, sentences);
    return claim.flatMap((token) => {
      const opposites = oppositesOf(keyOf(token));
      const alike = [keyOf(token), ...opposites.flatMap(oppositesOf)];
      const turned = [false, true].some((negated) =>
        [best, cited].some((among) => {
          const [own, other] = [countOf(claim, alike, negated), countOf(claim, opposites, negated)];
          const [same, opposite] = [countOf(among, alike, negated), countOf(among, opposites, negated)];
          // In all of the evidence a word may be about something else.
          return among === best ? own > same && opposite > other : own > 0 && same === 0 && opposite > 0;
        }),
      );
      return turned ? [`'${token.lower}'`] : [];
    });
  });
}

/** How often some words occur: behind a negation ("no more than", "not include"), or without one. */
function countOf(tokens: readonly Token[], words: readonly string[], negated: boolean): number {
  const isNegated = (index: number) => NEGATIONS.has(tokens[index - 1]?.lower ?? '');
  return tokens.filter((token, index) => words.includes(keyOf(token)) && isNegated(index) === negated).length;
}
