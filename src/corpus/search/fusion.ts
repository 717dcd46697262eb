import type { Scored } from './top.ts';

/** The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009). */
const K = 60;

/** Joins rankings by the places things have in them: 1 / (60 + place), summed. */
export function fuse(rankings: readonly (readonly Scored[])[], limit: number): Scored[] {
  const scores = new Map<number, number>();
  for (const ranking of rankings) {
    for (const [place, { ordinal }] of ranking.entries()) {
      scores.set(ordinal, (scores.get(ordinal) ?? 0) + 1 / (K + place + 1));
    }
  }
  return [...scores]
    .map(([ordinal, score]) => ({ ordinal, score }))
    .sort((a, b) => b.score - a.score || a.ordinal - b.ordinal)
    .slice(0, limit);
}
