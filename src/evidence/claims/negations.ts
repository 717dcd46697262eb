import { NEGATIONS } from '../quotes/index.ts';
import { areSynonyms } from './related-words.ts';
import type { Token } from './tokens.ts';

/** Deny something without a negation word: they stand for one, in evidence and in claims. */
const DENYING =
  /^(?:fail(?:s|ed)?|refuse[sd]?|prevent(?:s|ed)?|avoid(?:s|ed)?|ignore[sd]?|exclude[sd]?|prohibit(?:s|ed)?|forbid(?:s|den)?|disable[sd]?|stop(?:s|ped)?|lost|loses?|den(?:y|ies|ied)|reject(?:s|ed)?|skip(?:s|ped)?|unable|exempt|free)$/u;
/** In evidence they support a negation; in a claim they are none. */
const LIMITING = /^(?:unless|instead|zero|0|empty|missing|except)$/;
/** Words of the lists of negations that deny less than a clause. */
const NO_NEGATION = new Set([
  'unless',
  'except',
  'non',
  'fail',
  'fails',
  'failed',
  'lack',
  'lacks',
  'lacking',
  'absent',
]);
/** Without a verb of its own: what is negated comes behind. */
const CLAUSE_END = /^(?:[.!?;:,]|but|if|unless|because|so|although|while|when|whereas)$/;
const MAX_SCOPE = 6;
const WITHOUT_SCOPE = 2;

/** A stretch of a text in which a negation reaches. */
interface Clause {
  stems: Set<string>;
  negations: Negation[];
  /** Stems of words that deny something by themselves: refuses, prevents, ignores. */
  denying: Set<string>;
  /** Stems of unless, instead, zero. */
  limiting: Set<string>;
  /** Which sentence it is in. */
  sentence: number;
  /** Begins with if, unless, when. */
  conditional: boolean;
}

interface Negation {
  word: string;
  /** The stems it is about, in order; none in "if not, it exits". */
  scope: string[];
}

function clausesOf(tokens: readonly Token[]): Clause[] {
  const clauses: Clause[] = [];
  let sentence = 0;
  for (let from = 0; from < tokens.length; ) {
    let to = from;
    // "not when you moved around" goes on behind `when`.
    while (to < tokens.length && (to === from || !endsClause(tokens, to))) to += 1;
    const own = tokens.slice(from, to);
    clauses.push({
      stems: new Set(own.flatMap(({ stem }) => (stem === '' ? [] : [stem]))),
      negations: own.flatMap((_, index) => negationAt(own, index)),
      denying: stemsLike(own, DENYING),
      limiting: stemsLike(own, LIMITING),
      sentence,
      conditional: /^(?:if|unless|when|while)$/.test(own[0]?.lower ?? ''),
    });
    if (/^[.!?]$/.test(tokens[to]?.raw ?? '')) sentence += 1;
    from = to;
  }
  return clauses;
}

function stemsLike(tokens: readonly Token[], pattern: RegExp): Set<string> {
  return new Set(tokens.flatMap(({ lower, stem }) => (pattern.test(lower) ? [stem || lower] : [])));
}

function endsClause(tokens: readonly Token[], at: number): boolean {
  const { lower } = tokens[at] ?? { lower: '' };
  return CLAUSE_END.test(lower) && !(/\p{L}/u.test(lower) && NEGATIONS.has(tokens[at - 1]?.lower ?? ''));
}

function negationAt(clause: readonly Token[], index: number): Negation[] {
  const word = clause[index]?.lower ?? '';
  if (!NEGATIONS.has(word) || NO_NEGATION.has(word)) return [];
  // "not only", "no longer than", "no more than": nothing is denied.
  if (
    /^(?:only|more|less|later|earlier|fewer|nur|mehr|weniger|plus|más)$/.test(clause[index + 1]?.lower ?? '')
  )
    return [];
  const stemsOf = (part: readonly Token[]) => part.flatMap(({ stem }) => (stem === '' ? [] : [stem]));
  const behind = stemsOf(clause.slice(index + 1));
  const reach = word === 'without' ? WITHOUT_SCOPE : MAX_SCOPE;
  return [{ word, scope: (behind.length > 0 ? behind : stemsOf(clause.slice(0, index))).slice(0, reach) }];
}

/** Negations that a claim adds to its evidence or drops from it. */
export function changedNegations(said: readonly Token[], cited: readonly Token[]): string[] {
  const [claim, evidence] = [clausesOf(said), clausesOf(cited)];
  const widened = hasNotOnly(said) && !hasNotOnly(cited) && cited.some(({ lower }) => lower === 'only');
  return [
    ...(widened ? ["'not only'"] : []),
    ...claim.flatMap((clause) => [
      ...addedNegations(clause, evidence),
      ...droppedNegations(clause, claim, evidence),
    ]),
  ];
}

function hasNotOnly(tokens: readonly Token[]): boolean {
  return tokens.some(({ lower }, index) => lower === 'only' && NEGATIONS.has(tokens[index - 1]?.lower ?? ''));
}

/** Whether a sentence denies something that other texts about the same do not. */
export function addsNegation(said: readonly Token[], cited: readonly Token[]): boolean {
  const evidence = clausesOf(cited);
  return clausesOf(said).some((clause) => addedNegations(clause, evidence).length > 0);
}

/** Negations of a clause of the claim that the clauses of the evidence about the same do not have. */
function addedNegations(clause: Clause, evidence: readonly Clause[]): string[] {
  return clause.negations.flatMap(({ word, scope }) => {
    const bare = evidence.some(({ negations }) => negations.some((negation) => negation.scope.length === 0));
    if (scope.length === 0 || (bare && clause.conditional)) return [];
    const [head = ''] = scope;
    const about = bestFor(
      clause,
      evidence.filter(({ stems }) => hasStem(stems, head)),
    );
    const pool =
      about.length > 0 ? about : evidence.filter(({ stems }) => scope.some((stem) => hasStem(stems, stem)));
    const supported =
      pool.some(
        ({ negations, denying, limiting }) =>
          negations.some((negation) => denies(negation, scope)) ||
          [...denying, ...limiting].some((stem) => !clause.stems.has(stem)),
      ) ||
      evidence.some((other) => other.conditional && other.negations.some((one) => one.scope[0] === head)) ||
      pool.some(({ stems }) => ['un', 'in', 'non', 'non-'].some((prefix) => stems.has(prefix + head))) ||
      evidence.some((other) => other.negations.length > 0 && sharedStems(clause, other, pool) >= 2);
    return supported ? [] : [`a negation ('${word}')`];
  });
}

/** "Without oneline it is read" denies oneline, and not that it is read. */
function denies({ word, scope }: Negation, about: readonly string[]): boolean {
  return word !== 'without' || scope.some((stem) => about.includes(stem));
}

/** Negations of the evidence that a clause of the claim about the same lacks. */
function droppedNegations(clause: Clause, claim: readonly Clause[], evidence: readonly Clause[]): string[] {
  const negated = new Set(clause.negations.flatMap(({ scope }) => scope));
  return evidence.flatMap((source) =>
    source.negations.flatMap(({ word, scope }) => {
      const head = headOf(scope, clause);
      const said = [...clause.stems].find((stem) => areSynonyms(stem, head)) ?? head;
      if (head === '' || !hasStem(clause.stems, said) || hasStem(negated, said)) return [];
      // A word that denies may stand for the negation, unless the evidence has it as well.
      if ([...clause.denying].some((stem) => stem !== head && !source.denying.has(stem))) return [];
      const shared = sharedStems(clause, source);
      // A clause that negates something else as well may say the same in another way.
      const needed = clause.negations.some((negation) => negation.word !== 'without') ? 3 : 2;
      if (shared < (needed === 2 ? Math.min(2, source.stems.size) : needed)) return [];
      const near = (other: Clause) => nearness(clause, other, claim, evidence);
      if (saysOtherwise(clause, source, claim, evidence)) return [];
      const affirmed = evidence.filter((other) => other.negations.length === 0 && hasStem(other.stems, head));
      return affirmed.some((other) => near(other) >= near(source)) ? [] : [`a negation ('${word}')`];
    }),
  );
}

/** "May not attempt to alter or restrict": what is denied comes behind the first verb. */
const CATENATIVE = /^(?:attempt|try|tri|want|need|seem|intend|plan|be)$/;

function headOf([first = '', ...rest]: readonly string[], { stems }: Clause): string {
  if (!CATENATIVE.test(first)) return first;
  return rest.slice(0, 2).find((stem) => hasStem(stems, stem)) ?? first;
}

/** "By default it does not. Set x to true": a claim about x is not one about the default. */
function saysOtherwise(
  clause: Clause,
  source: Clause,
  claim: readonly Clause[],
  evidence: readonly Clause[],
): boolean {
  const [said, byDefault] = [sentenceStems(claim, clause.sentence), sentenceStems(evidence, source.sentence)];
  if (!byDefault.has('default') || said.has('default')) return false;
  const elsewhere = new Set(
    evidence.filter(({ sentence }) => sentence !== source.sentence).flatMap(({ stems }) => [...stems]),
  );
  return [...said].filter((stem) => elsewhere.has(stem) && !byDefault.has(stem)).length >= 2;
}

function sentenceStems(clauses: readonly Clause[], sentence: number): Set<string> {
  return new Set(clauses.filter((clause) => clause.sentence === sentence).flatMap(({ stems }) => [...stems]));
}

/** How much the sentences of two clauses share, 0..1. */
function nearness(one: Clause, other: Clause, claim: readonly Clause[], evidence: readonly Clause[]): number {
  const [said, cited] = [sentenceStems(claim, one.sentence), sentenceStems(evidence, other.sentence)];
  return [...said].filter((stem) => cited.has(stem)).length / (said.size + 1);
}

/** Those of some clauses that share most with one. */
function bestFor(clause: Clause, among: readonly Clause[]): Clause[] {
  const most = Math.max(0, ...among.map((other) => sharedStems(clause, other)));
  return among.filter((other) => sharedStems(clause, other) === most);
}

/** @param besides clauses whose stems do not count */
function sharedStems(one: Clause, other: Clause, besides: readonly Clause[] = []): number {
  return [...one.stems].filter(
    (stem) => hasStem(other.stems, stem) && !besides.some(({ stems }) => hasStem(stems, stem)),
  ).length;
}

/** Whether a stem, or the same with or without `re` (use, reuse), is among others. */
function hasStem(stems: ReadonlySet<string>, stem: string): boolean {
  return stems.has(stem) || stems.has(`re${stem}`) || (stem.startsWith('re') && stems.has(stem.slice(2)));
}
