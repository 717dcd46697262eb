import { stemmer } from 'stemmer';
import type { Conflict, VerifiedEvidence } from '../contracts/index.ts';
import { oneLine } from '../text/index.ts';
import { FUNCTION_WORDS, NEGATIONS } from './quotes/index.ts';

/** Two statements speak of the same thing when they share so many terms, and this share of all their terms. */
const MIN_SHARED = 3;
const MIN_OVERLAP = 0.6;
const MAX_STATEMENTS = 8;
/** A term in more statements than this does not bring two of them together. */
const MAX_POSTINGS = 200;
const MAX_CONFLICTS = 200;
/** Numbers that differ from those of more spans than this are records, not contradictions. */
const MAX_PARTNERS = 5;

interface Statement {
  item: VerifiedEvidence;
  kind: 'quote' | 'note';
  text: string;
  terms: Set<string>;
  /** In the order of the text. */
  numbers: string[];
  negated: boolean;
}

/**
 * Pairs of evidence on the same question that may contradict each other: two sentences (or two notes) about
 * the same terms, of which one negates, or which name different numbers. A heuristic, so each is called
 * possible; nothing is dropped for it.
 */
export function possibleConflicts(items: readonly VerifiedEvidence[]): {
  conflicts: Conflict[];
  dropped: number;
} {
  const statements = items.flatMap(statementsOf);
  const postings = new Map<string, number[]>();
  const found = new Map<string, Conflict>();
  for (const [index, statement] of statements.entries()) {
    for (const [other, shared] of sharedTerms(statement, postings)) {
      const earlier = statements[other];
      const kind = earlier === undefined ? undefined : contradiction(earlier, statement, shared);
      if (earlier === undefined || kind === undefined) continue;
      const ids = [earlier.item.evidence_id, statement.item.evidence_id];
      const key = ids.join(' ');
      if (!found.has(key))
        found.set(key, { kind, evidence_ids: ids, description: describe(earlier, statement) });
    }
    for (const term of statement.terms) {
      const list = postings.get(term);
      if (list === undefined) postings.set(term, [index]);
      else if (list.length < MAX_POSTINGS) list.push(index);
    }
  }
  const all = withoutRecords([...found.values()]);
  return { conflicts: all.slice(0, MAX_CONFLICTS), dropped: Math.max(0, all.length - MAX_CONFLICTS) };
}

/** Lines of a table or a log say the same of many things with a number each: they contradict nobody. */
function withoutRecords(conflicts: Conflict[]): Conflict[] {
  const partners = new Map<string, number>();
  for (const { kind, evidence_ids } of conflicts)
    if (kind === 'number') for (const id of evidence_ids) partners.set(id, (partners.get(id) ?? 0) + 1);
  return conflicts.filter(
    ({ kind, evidence_ids }) =>
      kind !== 'number' || evidence_ids.every((id) => (partners.get(id) ?? 0) <= MAX_PARTNERS),
  );
}

function sharedTerms(statement: Statement, postings: Map<string, number[]>): Map<number, number> {
  const shared = new Map<number, number>();
  for (const term of statement.terms)
    for (const other of postings.get(term) ?? []) shared.set(other, (shared.get(other) ?? 0) + 1);
  return shared;
}

function contradiction(a: Statement, b: Statement, shared: number): Conflict['kind'] | undefined {
  if (a.kind !== b.kind || a.item === b.item || shared < MIN_SHARED) return undefined;
  if (shared / (a.terms.size + b.terms.size - shared) < MIN_OVERLAP) return undefined;
  if (!sameQuestion(a.item, b.item)) return undefined;
  if (a.negated !== b.negated) return 'negation';
  return differInOneNumber(a.numbers, b.numbers) ? 'number' : undefined;
}

/** `Unit 1 has 5` and `unit 2 has 6` speak of two things: where more than one number differs, one of them names it. */
function differInOneNumber(a: readonly string[], b: readonly string[]): boolean {
  if (a.length === b.length) return a.filter((number, index) => number !== b[index]).length === 1;
  const onlyA = a.filter((number) => !b.includes(number));
  const onlyB = b.filter((number) => !a.includes(number));
  return onlyA.length > 0 && onlyB.length > 0 && !(onlyA.some(isYear) && onlyB.some(isYear));
}

function sameQuestion(a: VerifiedEvidence, b: VerifiedEvidence): boolean {
  return a.origins.some((one) => b.origins.some((other) => one.question === other.question));
}

function isYear(number: string): boolean {
  return /^(?:19|20)\d\d$/.test(number);
}

function statementsOf(item: VerifiedEvidence): Statement[] {
  const sentences = item.quote.match(/[^.!?。！？\n]+(?:[.!?](?=\S)[^.!?。！？\n]*)*/gu) ?? [];
  return [
    ...sentences.slice(0, MAX_STATEMENTS).map((text) => statementOf(item, 'quote', text)),
    ...item.notes.slice(0, MAX_STATEMENTS).map((text) => statementOf(item, 'note', text)),
  ].filter((statement) => statement.terms.size >= MIN_SHARED);
}

function statementOf(item: VerifiedEvidence, kind: Statement['kind'], text: string): Statement {
  const terms = new Set<string>();
  const numbers: string[] = [];
  let negated = /[不没沒無无非未]/u.test(text);
  for (const [word] of text
    .replace(/[’ʼ]/g, "'")
    .toLowerCase()
    .matchAll(/[\p{L}\p{N}_]+(?:[.,']\p{N}+|'t)*/gu)) {
    if (/^\p{N}/u.test(word)) numbers.push(word);
    else if (NEGATIONS.has(word) || word.endsWith("n't")) negated = !negated;
    else if (/\p{Script=Han}/u.test(word)) for (const pair of bigrams(word)) terms.add(pair);
    else if (word.length > 2 && !FUNCTION_WORDS.has(word)) terms.add(stemmer(word));
  }
  return { item, kind, text, terms, numbers, negated };
}

function bigrams(word: string): string[] {
  const characters = [...word.replace(/[不没沒無无非未]/gu, '')];
  return characters.slice(1).map((character, index) => `${characters[index] ?? ''}${character}`);
}

function describe(a: Statement, b: Statement): string {
  return `“${oneLine(a.text, 220)}” against “${oneLine(b.text, 220)}”`;
}
