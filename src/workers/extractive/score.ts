import { beginningOf, wordsOf } from '../../corpus/index.ts';
import { sanitize } from '../../text/index.ts';
import type { Question, Term } from './question.ts';

/** How well a text holds each term of a question, 0..1. */
export type Held = readonly number[];

const DEGREE = {
  variant: 0.9,
  /** All words of an identifier, but apart; they may mean something else. */
  apart: 0.75,
  /** Times the share of its words, from half of them up. */
  related: 0.4,
  /** The headings above a passage and the name of its document say what it is about. */
  context: 0.7,
} as const;
/** How much what a part shares with the others counts beside what it asks about by itself. */
const SHARED = 0.3;

/** Makes the function that tells how well a text, and what it is written under, hold some terms. */
export function termFinder(terms: readonly Term[]): (text: string, context: string) => Held {
  const stemsByForm = new Map<string, string[]>();
  for (const stem of terms.flatMap(({ stems }) => stems)) {
    for (const form of formsOf(stem)) stemsByForm.set(form, [...(stemsByForm.get(form) ?? []), stem]);
  }
  const beginnings = new Set([...stemsByForm.keys()].map(beginningOf));
  const heldBy = (raw: string): number[] => {
    // Terminal sequences and invisible characters would cling to words.
    const text = sanitize(raw);
    const found = new Map<string, number>();
    for (const { term } of wordsOf(text, beginnings)) {
      for (const stem of stemsByForm.get(term) ?? []) {
        found.set(stem, Math.max(found.get(stem) ?? 0, term === stem ? 1 : DEGREE.variant));
      }
    }
    const lower = found.size === 0 ? '' : text.toLowerCase();
    return terms.map(({ label, stems }) => {
      if (stems.length === 1) return found.get(stems[0] ?? '') ?? 0;
      if (lower.includes(label.toLowerCase())) return 1;
      const share = stems.filter((stem) => found.has(stem)).length / stems.length;
      return share === 1 ? DEGREE.apart : share >= 0.5 ? share * DEGREE.related : 0;
    });
  };
  return (text, context) => {
    const above = heldBy(context);
    return heldBy(text).map((degree, term) => Math.max(degree, DEGREE.context * (above[term] ?? 0)));
  };
}

/** Stems that differ by how a word ends: `expiry` and `expire`, `termination` and `terminate`. */
function formsOf(stem: string): string[] {
  if (!/^[a-z]{4,}$/.test(stem)) return [stem];
  return /[ie]$/.test(stem) ? [stem, stem.slice(0, -1)] : [stem, `${stem}i`, `${stem}e`];
}

/** The share of the weight of some terms that is held, 0..1. */
export function shareOf({ terms }: Question, among: readonly number[], held: Held): number {
  let [all, part] = [0, 0];
  for (const term of among) {
    all += terms[term]?.weight ?? 0;
    part += (terms[term]?.weight ?? 0) * (held[term] ?? 0);
  }
  return part / (all || 1);
}

/** How much of each part of a question is held, 0..1. */
export function partShares(question: Question, held: Held): number[] {
  return question.parts.map(({ own, shared }) => {
    const share = shareOf(question, own, held);
    return shared.length === 0 || share === 0
      ? share
      : share * (1 - SHARED) + SHARED * shareOf(question, shared, held);
  });
}
