import { type Counter, counterOf } from './counts.ts';
import { likeWords } from './like-words.ts';
import { isCommonWord, isStopWord } from './stop-words.ts';
import type { Term } from './term.ts';
import { stem, UNSPACED, type Word, wordsOf } from './words.ts';

/** One of several things that are asked about together. Indexes into `terms`. */
export interface Facet {
  /** What names it. */
  own: number[];
  /** What is said of all of them. */
  shared: number[];
}

/** A question taken apart. */
export interface Question {
  terms: Term[];
  /** Indexes into `terms`, one list for each question asked: to bear on one of several is enough. */
  asked: number[][];
  /** The things that it asks about side by side (`the defaults of a and b`); none for a question about one. */
  facets: Facet[];
  /** It asks for a number, an amount or a date. */
  wantsNumber: boolean;
  /** Text without any hit of it holds no term: a cheap look before the real one. Undefined: look everywhere. */
  prefilter: RegExp | undefined;
  /** How well a text holds each of the terms. */
  counter: Counter;
}

const WEIGHT = { common: 0.5, plain: 1 };

/** A question comes with chunk after chunk; a few are kept, so that their words are looked up once. */
const known = new Map<string, Question>();
const MAX_KNOWN = 32;

export function readQuestion(text: string): Question {
  const before = known.get(text);
  if (before !== undefined) return before;
  if (known.size >= MAX_KNOWN) known.clear();
  const question = takeApart(text);
  known.set(text, question);
  return question;
}

function takeApart(text: string): Question {
  const terms: Term[] = [];
  const known = new Map<string, number>();
  const asked: number[][] = [];
  const facets: Facet[] = [];
  for (const sentence of text.split(QUESTION_END)) {
    const own = new Set<number>();
    for (const term of termsOf(sentence)) {
      const key = term.match.kind === 'stem' ? term.match.whole : `=${term.match.word}`;
      const index = known.get(key) ?? terms.push(term) - 1;
      known.set(key, index);
      own.add(index);
    }
    if (own.size > 0) asked.push([...own]);
    facets.push(...facetsOf(sentence, [...own], (word) => known.get(stem(word.whole))));
  }
  const questions = wholeQuestions(asked);
  const prefilter = prefilterOf(terms);
  return {
    terms,
    asked: questions,
    facets: [...facets, ...questionFacets(questions)],
    wantsNumber: NUMBER_WORDS.test(text),
    prefilter,
    counter: counterOf(terms, prefilter),
  };
}

/** The stems of a question whose rarity counts. */
export function questionStems(question: string): string[] {
  const stems = readQuestion(question).terms.flatMap(({ match }) =>
    match.kind === 'stem' ? [match.whole, ...match.parts, ...match.others.map(({ stem }) => stem)] : [],
  );
  return [...new Set(stems)];
}

const NUMBER_WORDS =
  /\b(?:how (?:many|much|long|often|old|large|big|far|high|fast)|when|what (?:year|date|time|version|port|size)|which (?:year|date|version|port)|limits?|maximum|minimum|defaults?|size|number|percent(?:age)?|timeout|cost|price)\b|多少|几|何时|いくつ|いくら|いつ|何[年月日時分秒個件人]|몇|얼마|언제/iu;

/** Two questions in one: `how does it start, and when does it end?` */
const QUESTION_END = /[?？]+|[,;]?\s+and\s+(?=(?:how|what|when|where|which|who|why)\b)/i;

/** A part with a single term (`Why Redis?`) says too little to be a question of its own beside others. */
function wholeQuestions(asked: number[][]): number[][] {
  if (asked.length <= 1) return asked;
  const whole = asked.filter((own) => own.length > 1);
  return whole.length === asked.length ? asked : [...new Set([...whole, [...new Set(asked.flat())]])];
}

/** Each of several questions in one is about something of its own. */
function questionFacets(asked: readonly number[][]): Facet[] {
  if (asked.length < 2) return [];
  return asked.flatMap((terms) => {
    const own = terms.filter((term) => asked.every((other) => other === terms || !other.includes(term)));
    return own.length === 0 ? [] : [{ own, shared: terms.filter((term) => !own.includes(term)) }];
  });
}

const CONJUNCTION = /\s*[,;]\s+(?:and\s+|or\s+)?|\s+(?:and|or|versus|vs\.?)\s+/gi;
const ARTICLE = /^(?:the|a|an|its|their|of|in)$/;

/** What stands side by side in a question: the word before a conjunction, and the words after it. */
function facetsOf(sentence: string, all: number[], indexOf: (word: Word) => number | undefined): Facet[] {
  const pieces = sentence.split(CONJUNCTION).map(wordsOf);
  const named = pieces.map((words, index) => {
    const first = words.findIndex(({ whole }) => !ARTICLE.test(whole));
    if (index === 0) return words.slice(-1);
    const end = words.findIndex(({ whole }, at) => at > first && isStopWord(whole));
    return words.slice(first, end === -1 ? undefined : end);
  });
  const owns = named.map((words) => words.flatMap((word) => indexOf(word) ?? []));
  // `Is it fast, and how?` has nothing of its own behind the conjunction.
  if (owns.length < 2 || owns.some((own) => own.length === 0)) return [];
  const shared = all.filter((term) => owns.filter((own) => own.includes(term)).length !== 1);
  const distinct = owns.map((own) => own.filter((term) => !shared.includes(term)));
  if (distinct.some((own) => own.length === 0)) return [];
  return distinct.map((own) => ({ own, shared }));
}

function termsOf(sentence: string): Term[] {
  const words = wordsOf(sentence);
  const found = [
    ...words.filter((word) => !isStopWord(word.whole)).map(stemTerm),
    ...unspacedTerms(sentence),
  ];
  // "What is it about?" has nothing but stop words; then they are all there is to go by.
  return found.length > 0 ? found : words.filter((word) => word.whole.length > 3).map(stemTerm);
}

function stemTerm(word: Word): Term {
  const common = isCommonWord(word.parts[0] ?? word.whole) || word.whole.length === 1;
  return {
    label: word.written,
    weight: common ? WEIGHT.common : WEIGHT.plain,
    match: {
      kind: 'stem',
      whole: stem(word.whole),
      parts: word.parts.filter((part) => !isStopWord(part)).map(stem),
      others: likeWords(word.whole),
    },
  };
}

function unspacedTerms(sentence: string): Term[] {
  if (!UNSPACED.test(sentence)) return [];
  const locale = /[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(sentence) ? 'ja' : 'zh';
  const terms: Term[] = [];
  for (const { segment } of new Intl.Segmenter(locale, { granularity: 'word' }).segment(sentence)) {
    if (!UNSPACED.test(segment) || isStopWord(segment)) continue;
    const characters = [...segment];
    terms.push({
      label: segment,
      // A lone character is a particle or part of a word more often than not.
      weight: characters.length === 1 ? WEIGHT.common : WEIGHT.plain,
      match: {
        kind: 'substring',
        word: segment,
        bigrams: characters.slice(1).map((character, index) => `${characters[index]}${character}`),
      },
    });
  }
  return terms;
}

/**
 * Stemming changes the end of a word only (a last `i` or `e` may be its own: `flies` and `filing` become `fli`
 * and `file`), so a word's first letters must be there. Accented text is always looked at.
 */
function prefilterOf(terms: readonly Term[]): RegExp | undefined {
  const starts = new Set<string>();
  for (const { match } of terms) {
    const pieces =
      match.kind === 'stem'
        ? [match.whole, ...match.parts, ...match.others.map(({ stem: other }) => other)].map((word) =>
            word.replace(/(?<=..)[ie]$/, '').slice(0, 4),
          )
        : match.bigrams.length > 0
          ? match.bigrams
          : [match.word];
    for (const piece of pieces) starts.add(piece);
  }
  if (starts.size === 0) return undefined;
  const escaped = [...starts].map((start) => start.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`${escaped.join('|')}|[\u00aa-\u02ff\u1e00-\u1fff]`, 'i');
}
