import { fieldWords, Thesaurus } from '../../language/index.ts';
import { isStopWord, isUnspaced, termOf, wordsOf } from './words.ts';

/** Weight of what the question does not say itself; its own words have 1. */
const WEIGHT = { variant: 0.7, given: 0.6, synonym: 0.45, broader: 0.2 } as const;
const MAX_SYNONYMS = 8;
const MAX_BROADER = 3;
/** Shorter ones have too many meanings (`way`, `rid`), and stand everywhere: they slow a scan and rank nothing. */
const SHORTEST_SYNONYM = 4;
/** More terms than that make a scan slow and its result vague. */
const MAX_TERMS = 160;

/** One thing the question asks about: any of these terms may stand for it, the best one counts. */
interface TermGroup {
  /** The question's own word, or the phrase that the caller added. */
  label: string;
  members: { term: string; weight: number }[];
}

/** A question made ready for searching. */
export interface Question {
  text: string;
  groups: TermGroup[];
  /** Words added to the question's own. */
  expanded: string[];
  notes: string[];
}

/** A question, with terms and phrasings that a model gave for it, if one was asked. */
export type QueryInput = string | { text: string; expandedTerms?: readonly string[] };

/** What a query says itself. */
export function queryText(query: QueryInput): string {
  return typeof query === 'string' ? query : query.text;
}

export interface Expansion {
  /** Add synonyms from the thesaurus. Default true. */
  thesaurus?: boolean;
}

/** Turns questions into groups of weighted terms; the thesaurus is opened once, and only when it is needed. */
export function understandAll(inputs: readonly QueryInput[], expansion: Expansion = {}): Question[] {
  let thesaurus: Thesaurus | { missing: string } | undefined;
  const open = () => {
    thesaurus ??= Thesaurus.open();
    return thesaurus;
  };
  return inputs.map((input) => understand(input, expansion.thesaurus === false ? undefined : open));
}

function understand(
  input: QueryInput,
  thesaurus: (() => Thesaurus | { missing: string }) | undefined,
): Question {
  const text = queryText(input);
  const expandedTerms = typeof input === 'string' ? [] : (input.expandedTerms ?? []);
  const question: Question = { text, groups: [], expanded: [], notes: [] };
  const seen = new Set<string>();
  const words = [...wordsOf(text)];
  const telling = words.filter(({ text: word }) => !isStopWord(word.toLowerCase()) && isTerm(word));
  // "Who are you?" has nothing else: then its common words are what is asked for.
  for (const word of telling.length > 0 ? telling : words.filter(({ text: own }) => isTerm(own))) {
    if (seen.has(word.term)) continue;
    seen.add(word.term);
    question.groups.push({
      label: word.text,
      members: [{ term: word.term, weight: 1 }, ...variantsOf(word.term)],
    });
  }
  if (thesaurus !== undefined) addSynonyms(question, seen, thesaurus);
  for (const phrase of expandedTerms) {
    for (const word of wordsOf(phrase)) {
      if (seen.has(word.term) || isStopWord(word.text.toLowerCase()) || !isTerm(word.text)) continue;
      seen.add(word.term);
      question.groups.push({
        label: word.text,
        members: [{ term: word.term, weight: WEIGHT.given }],
      });
      question.expanded.push(word.text);
    }
  }
  limit(question);
  return question;
}

function addSynonyms(
  question: Question,
  seen: ReadonlySet<string>,
  open: () => Thesaurus | { missing: string },
): void {
  for (const group of question.groups) {
    if (!/^[A-Za-z]{3,}$/.test(group.label)) continue;
    const thesaurus = open();
    if ('missing' in thesaurus) {
      question.notes.push(`searched without synonyms: ${thesaurus.missing}`);
      return;
    }
    const own = new Set(group.members.map(({ term }) => term));
    const counts = { mutual: 0, broader: 0 };
    const field = fieldWords(termOf(group.label)).map((word) => ({ word, mutual: true }));
    const like = thesaurus.synonyms(group.label).filter(({ word }) => word.length >= SHORTEST_SYNONYM);
    for (const { word, mutual } of [...field, ...like]) {
      const term = termOf(word);
      if (own.has(term) || seen.has(term) || isStopWord(word)) continue;
      if (mutual ? counts.mutual >= MAX_SYNONYMS : counts.broader >= MAX_BROADER) continue;
      counts[mutual ? 'mutual' : 'broader'] += 1;
      own.add(term);
      group.members.push({ term, weight: mutual ? WEIGHT.synonym : WEIGHT.broader });
      question.expanded.push(word);
    }
  }
}

/** A single ASCII letter or digit says nothing; a single character of Chinese is a word. */
function isTerm(word: string): boolean {
  return word.length > 1 || isUnspaced(word);
}

/** Stems that differ by how a word ends: `expiry` and `expire`. */
function variantsOf(term: string): { term: string; weight: number }[] {
  if (!/^[a-z]{4,}$/.test(term)) return [];
  const other = term.endsWith('i') || term.endsWith('e') ? term.slice(0, -1) : `${term}i`;
  return [{ term: other, weight: WEIGHT.variant }];
}

/** Leaves out the weakest members first when a long question has too many. */
function limit(question: Question): void {
  for (const bound of [WEIGHT.broader, WEIGHT.synonym, WEIGHT.variant]) {
    const count = question.groups.reduce((sum, group) => sum + group.members.length, 0);
    if (count <= MAX_TERMS) return;
    for (const group of question.groups) {
      group.members = group.members.filter(({ weight }) => weight > bound);
    }
  }
  if (question.groups.length > MAX_TERMS) {
    question.notes.push(`only the first ${MAX_TERMS} words of the question were searched for`);
    question.groups.length = MAX_TERMS;
  }
}
