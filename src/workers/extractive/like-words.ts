import { stem } from './words.ts';

/** A word that may stand for one of the question's, and how far it does, 0..1. */
export interface LikeWord {
  stem: string;
  degree: number;
}

const VARIANT_DEGREE = 0.9;

/** Words like one of a question, by how it ends. */
export function likeWords(word: string): LikeWord[] {
  return variantsOf(stem(word)).map((other) => ({ stem: other, degree: VARIANT_DEGREE }));
}

/** Stems that differ by how a word ends: `expiry` and `expire`, `termination` and `terminate`. */
function variantsOf(own: string): string[] {
  if (!/^[a-z]{4,}$/.test(own)) return [];
  return own.endsWith('i') || own.endsWith('e') ? [own.slice(0, -1)] : [`${own}i`, `${own}e`];
}
