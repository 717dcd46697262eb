import {
  ANSWER_LIMITS,
  NO_USAGE,
  PASSAGE_LIMITS,
  type PassageAnswer,
  type WorkerAnswer,
} from '../../contracts/index.ts';
import { type Passage, passagesOf } from '../../corpus/index.ts';
import { messageOf } from '../../errors.ts';
import { oneLine, truncate } from '../../text/index.ts';
import type { MaterialPart, Worker, WorkRequest, WorkResult } from '../worker.ts';
import { parseQuestion, type Question, weighTerms } from './question.ts';
import { type Held, partShares, shareOf, termFinder } from './score.ts';

/** Changes with every change of what is chosen: it is the cache's key. */
const EXTRACTIVE_VERSION = 'extractive-5';
/** What a passage must hold of a part of the question to be a candidate beside those of other chunks. */
const CANDIDATE_SHARE = 0.4;
/** What the best passage must hold when there are no other chunks: a shared word is no evidence. */
const RELEVANT_SHARE = 0.6;
/** Passages far behind the best are not worth reading. */
const NEAR_BEST = 0.7;
const MAX_QUOTES = 8;
/** Shared words are a sign of an answer and no proof of one: the reader is never surer than this. */
const MAX_CONFIDENCE = 0.75;

type Material = NonNullable<WorkRequest['material']>;

/** A passage and how it bears on the question. */
interface Scored extends Passage {
  /** Which of the pieces it is in. */
  part: number;
  held: Held;
  /** Of the part of the question that it bears on most. */
  share: number;
}

/**
 * The embedded reader: no model, no process, no cost. It finds the passages of a chunk that hold most of the
 * question. For an ask, which sends the weights of the question's terms, it answers spans of whole passages
 * (`PassageAnswer`); otherwise a worker's answer with short quotes. Needs `request.material`.
 */
export function createExtractiveWorker(): Worker {
  return {
    name: 'extractive',
    lane: null,
    version: EXTRACTIVE_VERSION,
    cacheIdentity: EXTRACTIVE_VERSION,
    async run(request) {
      // A chunk is read in one go; between two of them others get their turn.
      await new Promise(setImmediate);
      const started = performance.now();
      const result = answerOf(request);
      return { ...result, usage: NO_USAGE, costUsd: 0, durationMs: performance.now() - started, model: null };
    },
    async close() {},
  };
}

function answerOf({ signal, material, tools }: WorkRequest): Pick<WorkResult, 'answer' | 'failure'> {
  if (signal.aborted) return { failure: { class: 'cancelled', message: 'cancelled' } };
  if (material === undefined) {
    return tools
      ? {
          failure: {
            class: 'overflow',
            message:
              'the chunk is larger than limits.embed_bytes, up to which the extractive reader reads. Make smaller chunks, or raise it in .rlm/config.json.',
          },
        }
      : {
          failure: {
            class: 'config',
            message:
              'the extractive reader reads chunks only; this step needs a model. Choose --worker codex or claude.',
          },
        };
  }
  try {
    const answer = material.weights === undefined ? quoteAnswer(material) : passageAnswer(material);
    return { answer: JSON.stringify(answer) };
  } catch (error) {
    return { failure: { class: 'crashed', message: `the extractive reader failed: ${messageOf(error)}` } };
  }
}

function passageAnswer({ question: text, chunkId, parts, weights = [] }: Material): PassageAnswer {
  const question = parseQuestion(text);
  question.terms = question.terms.map((term, index) => ({ ...term, weight: weights[index] ?? 1 }));
  const scored = scorePassages(question, readPassages(parts));
  const best = scored.filter(({ share }) => share >= CANDIDATE_SHARE).slice(0, PASSAGE_LIMITS.passages);
  return {
    chunk_id: chunkId,
    relevant: best.length > 0,
    passages: best.map(({ part, start, end, context, share }) => ({
      part,
      start,
      end,
      context: oneLine(context, PASSAGE_LIMITS.context),
      share: rounded(share),
    })),
  };
}

/** An answer by short quotes, as a batch wants them. */
function quoteAnswer({ question: text, chunkId, parts }: Omit<Material, 'weights'>): WorkerAnswer {
  const passages = readPassages(parts);
  const parsed = parseQuestion(text);
  const finder = termFinder(parsed.terms.map((term) => ({ ...term, weight: 1 })));
  const helds = passages.map(({ text: passage }) => finder(passage, ''));
  const index = new Map(parsed.terms.flatMap(({ stems }, at) => stems.map((stem) => [stem, at] as const)));
  const holding = (stem: string) => helds.filter((held) => (held[index.get(stem) ?? -1] ?? 0) > 0).length;
  const question = weighTerms(parsed, holding, passages.length);
  const scored = scorePassages(question, passages);
  const best = scored[0]?.share ?? 0;
  const chosen =
    best < RELEVANT_SHARE ? [] : scored.filter(({ share }) => share >= best * NEAR_BEST).slice(0, MAX_QUOTES);
  const evidence = chosen.map((passage) => quoteOf(question, passage, parts));
  return {
    chunk_id: chunkId,
    relevant: evidence.length > 0,
    summary: truncate(summaryOf(evidence), ANSWER_LIMITS.summary),
    confidence: rounded(best * MAX_CONFIDENCE),
    evidence,
    gaps: evidence.length > 0 ? [] : [truncate(gapOf(question, helds), ANSWER_LIMITS.item)],
    errors: [],
  };
}

function readPassages(
  parts: readonly MaterialPart[],
): (Passage & { part: number; text: string; source: string })[] {
  return parts.flatMap(({ text, source }, part) =>
    passagesOf(text, source).map((one) => ({ ...one, part, source, text: text.slice(one.start, one.end) })),
  );
}

/** The best first; of equal ones the first in the text. */
function scorePassages(question: Question, passages: ReturnType<typeof readPassages>): Scored[] {
  const find = termFinder(question.terms);
  return passages
    .map((passage) => {
      const held = find(passage.text, `${passage.context}\n${passage.source}`);
      return { ...passage, held, share: Math.max(0, ...partShares(question, held)) };
    })
    .sort((a, b) => b.share - a.share);
}

/** The lines of a passage that hold most of the question, as many as a quote may have. */
function quoteOf(
  question: Question,
  passage: Scored,
  parts: readonly MaterialPart[],
): WorkerAnswer['evidence'][number] {
  const { source = '', lineStart = 1, text = '' } = parts[passage.part] ?? {};
  const { start, end } = shorten(question, text, passage);
  const first = lineStart + countLines(text, 0, start);
  const lines = `:${first}-${first + countLines(text, start, end)}`;
  const named = question.terms
    .filter((_, term) => (passage.held[term] ?? 0) > 0)
    .map(({ label }) => `"${label}"`);
  const room = ANSWER_LIMITS.loc - lines.length;
  return {
    loc: (truncate(oneLine(source), room, { keep: 'end', mark: '' }) || 'chunk') + lines,
    quote: text.slice(start, end),
    note: oneLine(`Holds ${named.join(', ')}.`, ANSWER_LIMITS.note),
  };
}

/** Where a quote may begin: a line, a sentence; in text without either a word. */
const STARTS = /(?<=[\n.!?。！？]\s{0,20})\S|(?<=\s)\S(?=[^\n.!?。！？]{160})/g;

/** The part of a passage that holds most of the question, as long as a quote may be; of equal ones the middle one. */
function shorten(question: Question, text: string, { start, end }: Passage): { start: number; end: number } {
  if (end - start <= ANSWER_LIMITS.quote) return { start, end };
  const find = termFinder(question.terms);
  const all = question.terms.map((_, term) => term);
  const passage = text.slice(start, end);
  let best: { start: number; end: number; share: number }[] = [];
  for (const from of [0, ...[...passage.matchAll(STARTS)].map(({ index }) => index)]) {
    const rest = passage.slice(from, from + ANSWER_LIMITS.quote + 1);
    // Up to the last space: what is behind it may be half of a word or of a character.
    const quote = rest.length <= ANSWER_LIMITS.quote ? rest : rest.replace(/\s+\S*$/, '');
    const fitting = truncate(quote, ANSWER_LIMITS.quote, { mark: '' });
    const share = shareOf(question, all, find(fitting, ''));
    const span = { start: start + from, end: start + from + fitting.length, share };
    const most = best[0]?.share ?? -1;
    if (share >= most) best = share > most ? [span] : [...best, span];
  }
  // What is around the words says what they are about.
  return best[best.length >> 1] ?? { start, end };
}

function countLines(text: string, from: number, to: number): number {
  return text.slice(from, to).split('\n').length - 1;
}

function summaryOf(evidence: WorkerAnswer['evidence']): string {
  const [best] = evidence;
  if (best === undefined) return 'Extractive reader: nothing in this chunk bears on the question.';
  const count = evidence.length === 1 ? '1 passage bears' : `${evidence.length} passages bear`;
  return `Extractive reader: ${count} on the question. The closest: ${oneLine(best.quote)}`;
}

function gapOf({ terms }: Question, helds: readonly Held[]): string {
  if (terms.length === 0) return 'The question has no words to look for.';
  const absent = terms.filter((_, term) => helds.every((held) => (held[term] ?? 0) === 0));
  const labels = absent.map(({ label }) => `"${oneLine(label)}"`).join(', ');
  const why = absent.length === 0 ? 'its words are not together in one passage' : `no mention of ${labels}`;
  return `This chunk does not answer the question: ${why}.`;
}

function rounded(value: number): number {
  return Math.round(Math.min(1, value) * 1000) / 1000;
}
