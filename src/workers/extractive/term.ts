import type { LikeWord } from './like-words.ts';

/** One thing a question is about. */
export interface Term {
  /** As the question has it, for people. */
  label: string;
  /** How much it says before any chunk is seen: common words half. */
  weight: number;
  match:
    | { kind: 'stem'; whole: string; parts: string[]; others: LikeWord[] }
    | { kind: 'substring'; word: string; bigrams: string[] };
}
