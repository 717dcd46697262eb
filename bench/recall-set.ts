/*
 * Questions with known answers over the documentation that npm packages ship: their Markdown and the doc
 * comments of their type declarations. An answer is given by words that stand exactly once in the named
 * document, so that it survives other versions; `recall.ts` refuses a set for which that does not hold.
 */

/**
 * Where an answer stands: a document, relative to the set's `base`, and words that its text has once, together with
 * `before` where they alone stand there several times.
 */
export type Place = readonly [document: string, words: string, before?: string];

export interface RecallQuestion {
  /** `paraphrased`: shares no rare word with its passage. `several`: needs all of its parts. */
  kind: 'direct' | 'paraphrased' | 'several' | 'unanswerable';
  ask: string;
  /** Each part of the answer may stand in any of the places listed for it. */
  parts: readonly (readonly Place[])[];
}

export interface QuestionSet {
  /** What the set is for. */
  about: string;
  /** Where the documents are, absolute. Default: `node_modules`. */
  base?: string;
  /** Documents that are asked, as globs under `base`. */
  documents: readonly string[];
  questions: readonly RecallQuestion[];
}

export function direct(ask: string, ...places: Place[]): RecallQuestion {
  return { kind: 'direct', ask, parts: [places] };
}

export function paraphrased(ask: string, ...places: Place[]): RecallQuestion {
  return { kind: 'paraphrased', ask, parts: [places] };
}

export function several(ask: string, ...parts: Place[]): RecallQuestion {
  return { kind: 'several', ask, parts: parts.map((place) => [place]) };
}

export function unanswerable(ask: string): RecallQuestion {
  return { kind: 'unanswerable', ask, parts: [] };
}
