import { fieldWords, Thesaurus } from '../../language/index.ts';
import { isStopWord } from './stop-words.ts';
import { stem } from './words.ts';

/** A word that may stand for one of the question's, and how far it does, 0..1. */
export interface LikeWord {
  stem: string;
  degree: number;
}

const DEGREE = { variant: 0.9, field: 0.8, mutual: 0.6, broader: 0.35 } as const;
const MAX_MUTUAL = 12;
const MAX_BROADER = 4;

/** One for the process: the data of the thesaurus are 12 MB. */
let thesaurus: Thesaurus | { missing: string } | undefined;

/** Words like one of a question: by how it ends, by what the field calls it, and from the thesaurus. */
export function likeWords(word: string): LikeWord[] {
  const own = stem(word);
  const found = new Map<string, number>();
  const add = (other: string, degree: number) => {
    if (other !== own && other.length > 1 && (found.get(other) ?? 0) < degree) found.set(other, degree);
  };
  for (const other of variantsOf(own)) add(other, DEGREE.variant);
  for (const other of fieldWords(own)) add(stem(other), DEGREE.field);
  if (/^[a-z]{3,}$/.test(word)) {
    thesaurus ??= Thesaurus.open();
    const synonyms =
      'missing' in thesaurus ? [] : thesaurus.synonyms(word).filter((one) => !isStopWord(one.word));
    for (const one of synonyms.filter(({ mutual }) => mutual).slice(0, MAX_MUTUAL))
      add(stem(one.word), DEGREE.mutual);
    for (const one of synonyms.filter(({ mutual }) => !mutual).slice(0, MAX_BROADER))
      add(stem(one.word), DEGREE.broader);
  }
  return [...found].map(([other, degree]) => ({ stem: other, degree }));
}

/** Stems that differ by how a word ends: `expiry` and `expire`, `termination` and `terminate`. */
function variantsOf(own: string): string[] {
  if (!/^[a-z]{4,}$/.test(own)) return [];
  return own.endsWith('i') || own.endsWith('e') ? [own.slice(0, -1)] : [`${own}i`, `${own}e`];
}
