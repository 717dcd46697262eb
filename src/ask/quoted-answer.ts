import type { FinalAnswer, VerifiedEvidence } from '../contracts/index.ts';
import { type Corpus, chunkFrequencies } from '../corpus/index.ts';
import { addGaps, extractiveAnswer, MAX_EXTRACTS, type Reduced } from '../evidence/index.ts';
import {
  parseQuestion,
  partShares,
  type Question,
  shareOf,
  termFinder,
  weighTerms,
} from '../workers/extractive/index.ts';

/* These numbers were chosen on the tuning sets of bench/recall.ts, where each is on a plateau. */
/** What the best passage must hold of a part of the question. Below it nothing is shown: shared words are no answer. */
const RELEVANT_SHARE = 0.66;
/** The same for another part of a question of which one part is answered. */
const OTHER_PART_SHARE = 0.4;
/** Passages far behind the best on their part are not shown. */
const NEAR_BEST = 0.65;
/** What holds other parts as well, and what begins with the words asked about, comes first. */
const OTHER_PARTS = 0.3;
const BEGINS = 0.12;
/** Longer passages hold more words by chance, UTF-16 units. */
const LONG = 500;
const LENGTH_EXPONENT = 0.15;

/** The question with its terms weighed by how rare their words are in the documents: one pass over them. */
export async function weighQuestion(
  corpus: Corpus,
  question: string,
  signal: AbortSignal,
): Promise<Question> {
  const parsed = parseQuestion(question);
  const stems = [...new Set(parsed.terms.flatMap((term) => term.stems))];
  const holding = await chunkFrequencies(corpus, stems, { signal });
  return weighTerms(parsed, (stem) => holding.get(stem) ?? 0, corpus.record.chunks);
}

/**
 * The answer that no model wrote: what bears best on the question.
 *
 * @param weighed the question as `weighQuestion` made it, when the extractive reader chose the passages: they are
 *   ranked here, all chunks together, and none is shown when none bears on the question enough. What a model
 *   quoted is ordered by its confidence
 */
export function quotedAnswer(
  question: string,
  { evidence, coverage }: Reduced,
  weighed: Question | undefined,
): FinalAnswer {
  if (weighed === undefined) return extractiveAnswer(question, evidence, coverage);
  const { best, open } = rankPassages(weighed, evidence.items);
  const gaps =
    best.length === 0 ? [] : open.map((part) => `No passage holds most of what is asked about ${part}.`);
  return addGaps(extractiveAnswer(question, evidence, coverage, best), gaps);
}

/**
 * The passages that bear best on a question; of one about several things the best on each, in turn.
 *
 * @returns and the parts of the question that no passage answers, by their words
 */
function rankPassages(
  question: Question,
  items: readonly VerifiedEvidence[],
): { best: VerifiedEvidence[]; open: string[] } {
  const find = termFinder(question.terms);
  const judged = items.map((item) => {
    const held = find(item.quote, [item.source, ...item.notes].join('\n'));
    const first = find(/[\p{L}\p{N}][^\n]{0,80}/u.exec(item.quote)?.[0] ?? '', '');
    return { item, held, first, shares: partShares(question, held) };
  });
  const lists = question.parts
    .map(({ own, shared }, part) => {
      const others = question.terms.flatMap((_, term) =>
        own.includes(term) || shared.includes(term) ? [] : term,
      );
      return judged
        .map(({ item, held, first, shares }) => {
          const share = shares[part] ?? 0;
          const bonus =
            BEGINS * shareOf(question, own, first) + OTHER_PARTS * shareOf(question, others, held);
          const brevity = Math.min(1, (LONG / item.quote.length) ** LENGTH_EXPONENT);
          return { item, share, worth: share * (1 + bonus) * brevity };
        })
        .sort((a, b) => b.worth - a.worth);
    })
    .map((list) => ({ list, share: Math.max(0, ...list.slice(0, MAX_EXTRACTS).map(({ share }) => share)) }));
  const open = question.parts.flatMap(({ own }, part) =>
    (lists[part]?.share ?? 0) >= RELEVANT_SHARE ? [] : labelsOf(question, own),
  );
  if (lists.every(({ share }) => share < RELEVANT_SHARE)) return { best: [], open };
  const chosen: { item: VerifiedEvidence; share: number }[] = [];
  for (let place = 0; place < items.length && chosen.length < MAX_EXTRACTS; place += 1) {
    for (const { list, share } of lists) {
      const [one, best] = [list[place], list[0]];
      if (one === undefined || best === undefined || share < OTHER_PART_SHARE) continue;
      if (one.worth < best.worth * NEAR_BEST || chosen.length >= MAX_EXTRACTS) continue;
      if (!chosen.some(({ item }) => saysTheSame(item, one.item))) chosen.push(one);
    }
  }
  const best = chosen
    .sort((a, b) => b.share - a.share)
    .map(({ item, share }) => ({ ...item, confidence: share }));
  return { best, open };
}

function labelsOf({ terms }: Question, indexes: readonly number[]): string {
  return indexes.map((index) => `“${terms[index]?.label ?? ''}”`).join(', ');
}

function saysTheSame(one: VerifiedEvidence, other: VerifiedEvidence): boolean {
  const words = (item: VerifiedEvidence) => item.quote.replace(/\s+/g, ' ');
  const overlap = one.byte_start < other.byte_end && other.byte_start < one.byte_end;
  return (one.source === other.source && overlap) || words(one) === words(other);
}
