import { isStopWord, isUnspaced, wordsOf } from '../../corpus/index.ts';

/** One thing that a question asks about, and how much it says, from 0 up. */
export interface Term {
  label: string;
  /** Stems of its words: an identifier such as `max_retries` has several, and a text must hold all of them. */
  stems: string[];
  weight: number;
}

/** A question taken apart. */
export interface Question {
  terms: Term[];
  /** What it asks side by side: at least one part, unless there are no terms. */
  parts: Part[];
}

/** One of the things that are asked, as indexes into the terms. */
interface Part {
  /** What it is about by itself. */
  own: number[];
  /** What is asked about the others as well. */
  shared: number[];
}

/** Words that say how a question is put, beside those that no search looks for. */
const ASKING = new Set(
  `called describe document documents does explain file's find get gets give given gives happen happened happens know
  list long many mean meaning means mention mentioned much name named names often one please say says set show shows
  stated tell thing things use used uses using want way ways work works`.split(/\s+/),
);
/** Characters that ask or join in Chinese and Japanese, and kana: with them a pair of letters is no word. */
const FILLER = /[\p{Script=Hiragana}的了是在有和与或及吗呢吧啊么什怎如何哪谁多少几请问为]/u;
const IDENTIFIER = /[A-Za-z$_][\w$]*(?:(?:\.|::|->|-)[A-Za-z_$][\w$]*)*/g;
/** Between two questions in one. */
const CLAUSE_END =
  /[?？!;；]+\s*|[,;]?\s+(?:and|or|but)\s+(?=(?:how|what|when|where|which|who|whom|whose|why|does|do|did|is|are|was|were|can|could|may|must|should|will|at|by|for|from|in|to|with)\b)/i;
const CONJUNCTION = /\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or|versus|vs\.?)\s+/i;
const REFERS_BACK = /\b(?:it|its|they|them|their|these|this|that|those|there)\b/i;

/** So many texts without a word are added: what three texts have in common need not be a common word. */
const OTHER_TEXTS = 100;
/** Below 1 a single rare word does not stand for the whole question. Chosen on the tuning sets of bench/recall.ts. */
const RARITY_EXPONENT = 0.75;

/** Takes a question apart. Every term weighs 1: what it says depends on the documents (see `weighTerms`). */
export function parseQuestion(text: string): Question {
  const terms: Term[] = [];
  const known = new Map<string, number>();
  const indexesOf = (piece: string): number[] => {
    const found = termsIn(piece).map((term) => {
      const key = term.stems.join(' ');
      const index = known.get(key) ?? terms.push(term) - 1;
      known.set(key, index);
      return index;
    });
    return [...new Set(found)];
  };
  const clauses = text
    .split(CLAUSE_END)
    .map((clause) => ({ clause, own: indexesOf(clause) }))
    .filter(({ own }) => own.length > 0);
  const parts =
    clauses.length > 1 ? partsOfClauses(clauses) : partsOfList(text, clauses[0]?.own ?? [], indexesOf);
  return { terms, parts };
}

function termsIn(text: string): Term[] {
  const terms: Term[] = [];
  const taken: [number, number][] = [];
  for (const match of text.matchAll(IDENTIFIER)) {
    const [written] = match;
    const words = [...wordsOf(written)];
    if (words.length < 2 || words.length > 8) continue;
    taken.push([match.index, match.index + written.length]);
    terms.push({ label: written, stems: [...new Set(words.map(({ term }) => term))], weight: 1 });
  }
  const words = [...wordsOf(text)].filter(
    ({ start }) => !taken.some(([from, to]) => start >= from && start < to),
  );
  const telling = words.filter(({ text: word }) => isTelling(word));
  // "Who are you?" has nothing else: then its common words are what is asked for.
  const kept =
    telling.length + terms.length > 0 ? telling : words.filter(({ text: word }) => word.length > 3);
  return [...terms, ...kept.map(({ text: label, term }) => ({ label, stems: [term], weight: 1 }))];
}

function isTelling(word: string): boolean {
  if (isUnspaced(word)) return word.length > 1 && !FILLER.test(word);
  const lower = word.toLowerCase();
  return (word.length > 1 || /\p{Nd}/u.test(word)) && !isStopWord(lower) && !ASKING.has(lower);
}

/** Clauses of one sentence; one that points back (`and when does it end?`) is also about what the first one names. */
function partsOfClauses(clauses: readonly { clause: string; own: number[] }[]): Part[] {
  const first = clauses[0]?.own ?? [];
  return clauses.map(({ clause, own }, index) => ({
    own,
    shared:
      index > 0 && (REFERS_BACK.test(clause) || own.length < 2)
        ? first.filter((term) => !own.includes(term))
        : [],
  }));
}

/** What is asked side by side (`the limit and the colour of the client`): the word before a conjunction, those behind it. */
function partsOfList(text: string, all: number[], indexesOf: (piece: string) => number[]): Part[] {
  const pieces = text.split(CONJUNCTION);
  const owns = pieces.map((piece, index) => {
    const found = indexesOf(piece);
    return index === 0 ? found.slice(-1) : found.slice(0, index === pieces.length - 1 ? 1 : undefined);
  });
  const distinct = owns.map((own, index) =>
    own.filter((term) => owns.every((other, at) => at === index || !other.includes(term))),
  );
  if (pieces.length < 2 || distinct.some((own) => own.length === 0)) return [{ own: all, shared: [] }];
  const named = new Set(distinct.flat());
  const shared = all.filter((term) => !named.has(term));
  return distinct.map((own) => ({ own, shared }));
}

/**
 * Weighs the terms by how rare they are, from 1 for a word that is nowhere down; of an identifier its rarest word
 * counts.
 *
 * @param holding how many of the texts hold a stem
 * @param texts how many there are
 */
export function weighTerms(question: Question, holding: (stem: string) => number, texts: number): Question {
  const all = texts + OTHER_TEXTS;
  const rarity = (count: number) => Math.log(1 + (all - count + 0.5) / (count + 0.5));
  const terms = question.terms.map((term) => {
    const rarest = Math.max(...term.stems.map((stem) => rarity(holding(stem)))) / rarity(0);
    // Rounded, so that a small change of the documents does not change what is asked.
    return { ...term, weight: Math.round(rarest ** RARITY_EXPONENT * 20) / 20 };
  });
  return { ...question, terms };
}
