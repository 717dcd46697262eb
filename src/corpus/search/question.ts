import { isStopWord, isUnspaced, wordsOf } from './words.ts';

/** Weight of what the question does not say itself; its own words have 1. */
const WEIGHT = { variant: 0.7, given: 0.6 } as const;
/** More terms than that make a scan slow and its result vague. */
const MAX_TERMS = 160;

/** One thing the question asks about: any of these terms may name it, the best one counts. */
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

/** Turns a question into groups of weighted terms. */
export function understand(input: QueryInput): Question {
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

/** Drops word forms first when a long question has too many terms. */
function limit(question: Question): void {
  const count = question.groups.reduce((sum, group) => sum + group.members.length, 0);
  if (count <= MAX_TERMS) return;
  for (const group of question.groups) {
    group.members = group.members.filter(({ weight }) => weight !== WEIGHT.variant);
  }
  if (question.groups.length > MAX_TERMS) {
    question.notes.push(`only the first ${MAX_TERMS} words of the question were searched for`);
    question.groups.length = MAX_TERMS;
  }
}
