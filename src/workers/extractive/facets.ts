import type { Facet, Question } from './question.ts';

/** What a text says of each thing that a question asks about side by side. */
interface OnFacets {
  /** What it shows of what it holds, 0..1: code shows less. */
  shown: number;
  /** How far each term is held, and by the first words. */
  held: readonly number[];
  first: readonly number[];
}

/** What begins with a name describes it: a row, an item, a section. */
const DESCRIBES = 1.4;
const BEGINNING = /^\s*#+ .*|[\p{L}\p{N}][^\s|]*/u;
/** How well a text must hold what names the thing. */
const MIN_NAMED = 0.6;
/** Texts for each of the things. */
const FOR_EACH = 2;

/** The first word of a text, or its heading. */
export function beginningOf(text: string): string {
  return BEGINNING.exec(text)?.[0] ?? '';
}

/** Texts that bear on one of several things that are asked about, the best on each first, then the second best. */
export function facetOrder<One extends OnFacets>(
  { facets }: Pick<Question, 'facets'>,
  all: readonly One[],
): One[] {
  const ranked = facets.map((facet) => {
    const valued = all.map((one) => ({ one, value: worthOn(facet, one) })).filter(({ value }) => value > 0);
    return valued.sort((a, b) => b.value - a.value).map(({ one }) => one);
  });
  return Array.from({ length: FOR_EACH }, (_, place) => ranked.flatMap((on) => on[place] ?? [])).flat();
}

function worthOn({ own, shared }: Facet, { held, first, shown }: OnFacets): number {
  const mean = (terms: readonly number[], degrees: readonly number[]) =>
    terms.reduce((sum, term) => sum + (degrees[term] ?? 0), 0) / (terms.length || 1);
  const named = mean(own, held);
  if (named < MIN_NAMED) return 0;
  return (2 * named + mean(shared, held)) * shown * (mean(own, first) >= MIN_NAMED ? DESCRIBES : 1);
}
