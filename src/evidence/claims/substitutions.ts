import { NEGATIONS } from '../quotes/index.ts';
import { isNumber, isSameAmount } from './amounts.ts';
import { areSynonyms, oppositesOf } from './related-words.ts';
import { sentencesOf, type Token } from './tokens.ts';

/** Costs of the alignment, where a match gains 1: a word in another's place, one that is passed over, one that is new. */
const SUBSTITUTION = 0.5;
const SKIPPED = 0.4;
const NEW = 0.7;
/** Words beside the exchanged one that must be equal. */
const MIN_EQUAL = 3;
/** So many of them for each word that the claim passes over. */
const EQUAL_PER_SKIPPED = 2.5;
/** No claim repeats a longer sentence, and to align it takes long. */
const MAX_WORDS = 100;

/**
 * Words that a claim puts in the place of another one where it repeats a sentence of its evidence otherwise: all its
 * words that say something are in that sentence, in order, but one, and that one is no form or synonym of the word in
 * its place.
 */
export function substitutedWords(
  said: readonly Token[],
  cited: readonly Token[],
  context: readonly Token[],
): string[] {
  const explained = new Set(context.map(({ stem }) => stem));
  const sentences = sentencesOf(cited, /^[.!?;]$/);
  return sentencesOf(said).flatMap((sentence) => {
    const words = contentOf(sentence);
    if (words.length > MAX_WORDS) return [];
    const aligned = sentences.map((other) => ({ ...align(words, contentOf(other)), other }));
    const best = aligned.reduce((a, b) => (b.score > a.score ? b : a));
    const [word, instead] = best.exchanged ?? [];
    if (word === undefined || instead === undefined || isNumber(word) !== isNumber(instead)) return [];
    if (best.equal < MIN_EQUAL || best.equal < words.length - 1) return [];
    const skipped = (best.equal - SUBSTITUTION - best.score) / SKIPPED;
    if (skipped > best.equal / EQUAL_PER_SKIPPED + 0.01) return [];
    if (areSynonyms(word.stem, instead.stem)) return [];
    const turned = oppositesOf(word.stem).includes(instead.stem);
    // "Are hidden" says the same as "are not displayed".
    if (isNegated(instead, best.other) !== isNegated(word, sentence)) return [];
    // What the evidence says beside it may only have changed its place.
    const exact = skipped < 0.1 && best.equal > MIN_EQUAL && word !== words[0];
    const among = word === words[0] ? cited : best.other;
    const moved =
      !turned && !exact && !isNumber(word) && among.some(({ stem }) => areSynonyms(stem, word.stem));
    // A name out of the question or the heading stands for "the option", "this file".
    return moved || explained.has(word.stem) ? [] : [`'${word.raw}' for '${instead.raw}'`];
  });
}

function isNegated(word: Token, sentence: readonly Token[]): boolean {
  return NEGATIONS.has(sentence[sentence.indexOf(word) - 1]?.lower ?? '');
}

/** Say where and whose, and change freely with the form of a sentence. */
const PARTICLES =
  /^(?:in|on|with|for|itself|themselves|each|any|some|all|both|either|ones|can|could|may|might|must|shall|should|will|would)$/;

function contentOf(sentence: readonly Token[]): Token[] {
  return sentence.filter(({ stem, lower }) => stem !== '' && !PARTICLES.test(lower));
}

interface Alignment {
  score: number;
  equal: number;
  /** The last pair; there is no other where all words but one are equal. */
  exchanged?: readonly [word: Token, instead: Token];
}

/** Aligns all of a claim with a stretch of a sentence, so that most words are equal and few are passed over. */
function align(claim: readonly Token[], sentence: readonly Token[]): Alignment {
  const none: Alignment = { score: 0, equal: 0 };
  let above: Alignment[] = [none, ...sentence.map(() => none)];
  for (const [row, word] of claim.entries()) {
    const current: Alignment[] = [{ ...none, score: -NEW * (row + 1) }];
    for (const [column, other] of sentence.entries()) {
      const [before = none, over = none, left = none] = [above[column], above[column + 1], current[column]];
      const equal = saysSame(word, other);
      const paired: Alignment = equal
        ? { ...before, score: before.score + 1, equal: before.equal + 1 }
        : { ...before, score: before.score - SUBSTITUTION, exchanged: [word, other] };
      const added = { ...over, score: over.score - NEW };
      const skipped = { ...left, score: left.score - SKIPPED };
      current.push([added, skipped].reduce((a, b) => (b.score > a.score ? b : a), paired));
    }
    above = current;
  }
  return above.reduce((a, b) => (b.score > a.score ? b : a), none);
}

function saysSame(one: Token, other: Token): boolean {
  return one.stem === other.stem || isVariant(one.stem, other.stem) || isSameAmount(one, other);
}

/** Forms of one word that keep different stems: `recognise` and `recognition`. */
function isVariant(a: string, b: string): boolean {
  if (!/^\p{Ll}{3,}$/u.test(a) || !/^\p{Ll}{3,}$/u.test(b)) return false;
  const length = Math.max(4, Math.min(a.length, b.length) - 1);
  const head = (word: string) => word.replace(/y$/, 'i').slice(0, length);
  return head(a) === head(b);
}
