import { ANSWER_LIMITS, NO_USAGE, type WorkerAnswer } from '../../contracts/index.ts';
import { messageOf } from '../../errors.ts';
import { oneLine } from '../../text/index.ts';
import type { MaterialPart, Worker, WorkRequest, WorkResult } from '../worker.ts';
import { cut, labels, noteOf } from './notes.ts';
import { type Reading, readPassages } from './passages.ts';

/** Changes with every change of what is chosen: it is the cache's key. */
const EXTRACTIVE_VERSION = 'extractive-4';
const MAX_PASSAGES = 8;
/** Shared words are a sign of an answer and no proof of one: the reader is never surer than this. */
const MAX_CONFIDENCE = 0.75;

/**
 * The embedded reader: no model, no process, no cost. It picks the sentences of a chunk that bear on the
 * question and quotes them as they stand (DESIGN.md, "Embedded default"). Needs `request.material`.
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

function answerOf(request: WorkRequest): Pick<WorkResult, 'answer' | 'failure'> {
  if (request.signal.aborted) return { failure: { class: 'cancelled', message: 'cancelled' } };
  if (request.material === undefined && request.tools) {
    return {
      failure: {
        class: 'overflow',
        message:
          'the chunk is larger than limits.embed_bytes, up to which the extractive reader reads. Make smaller chunks, or raise it in .rlm/config.json.',
      },
    };
  }
  if (request.material === undefined) {
    return {
      failure: {
        class: 'config',
        message:
          'the extractive reader reads chunks only; this step needs a model. Choose --worker codex or claude.',
      },
    };
  }
  try {
    return { answer: JSON.stringify(readMaterial(request.material)) };
  } catch (error) {
    return { failure: { class: 'crashed', message: `the extractive reader failed: ${messageOf(error)}` } };
  }
}

/** What several pieces say: the answer of the one that says most, with the quotes of the others behind it. */
function readMaterial({ question, chunkId, parts }: NonNullable<WorkRequest['material']>): WorkerAnswer {
  const answers = parts
    .map((part) => readChunk({ question, chunkId, ...part }))
    .sort((a, b) => Number(b.relevant) - Number(a.relevant) || b.confidence - a.confidence);
  const [best = readChunk({ question, chunkId, source: '', lineStart: 1, text: '' })] = answers;
  return { ...best, evidence: answers.flatMap(({ evidence }) => evidence).slice(0, ANSWER_LIMITS.evidence) };
}

/**
 * What one piece says on a question, in the worker's answer format.
 *
 * `confidence` is the share of the question's weight (common words count half, a word of like
 * meaning in part) that the best passage holds, times 0.75: it compares from chunk to chunk. Every quote stands in `text` as it is; `loc` has the lines of the original document.
 */
export function readChunk(piece: { question: string; chunkId: string } & MaterialPart): WorkerAnswer {
  const { text, question, source, chunkId, lineStart } = piece;
  const reading = readPassages(text, question, source, MAX_PASSAGES);
  const { passages } = reading;
  const lines = lineFinder(text, lineStart);
  return {
    chunk_id: chunkId,
    relevant: passages.length > 0,
    summary: cut(summaryOf(reading, text), ANSWER_LIMITS.summary),
    confidence: Math.round(reading.best * MAX_CONFIDENCE * 1000) / 1000,
    evidence: passages.map((passage) => ({
      loc: locOf(source || chunkId, lines(passage.start), lines(passage.end - 1)),
      quote: text.slice(passage.start, passage.end),
      note: noteOf(passage),
    })),
    gaps: passages.length > 0 ? [] : [cut(gapOf(reading, question), ANSWER_LIMITS.item)],
    errors: [],
  };
}

function summaryOf({ passages, terms }: Reading, text: string): string {
  const [best] = passages;
  if (best === undefined) return 'Extractive reader: nothing in this chunk bears on the question.';
  const held = terms.filter((term) =>
    passages.some((one) => one.matched.includes(term) || one.like.includes(term)),
  );
  const missing = terms.filter((term) => !held.includes(term));
  const count = passages.length === 1 ? '1 passage bears' : `${passages.length} passages bear`;
  return [
    `Extractive reader: ${count} on the question by ${labels(held)}`,
    missing.length === 0 ? '.' : `; not by ${labels(missing)}.`,
    ` The closest: ${oneLine(text.slice(best.start, best.end))}`,
  ].join('');
}

function gapOf({ terms, absent }: Reading, question: string): string {
  if (terms.length === 0) return `The question has no words to look for: ${oneLine(question)}`;
  const why = absent.length === 0 ? 'its words do not stand together' : `no mention of ${labels(absent)}`;
  return `This chunk does not answer the question: ${why}.`;
}

/** Line numbers of positions in the text, by counting each line end once. */
function lineFinder(text: string, lineStart: number): (position: number) => number {
  let ends: number[] | undefined;
  return (position) => {
    ends ??= lineEnds(text);
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    return lineStart + low;
  };
}

function lineEnds(text: string): number[] {
  const ends: number[] = [];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) ends.push(at);
  return ends;
}

/** `path:first-last`; a path that is too long keeps its right end. */
function locOf(source: string, first: number, last: number): string {
  const lines = `:${first}-${last}`;
  return source.replace(/[\r\n\u2028\u2029]/g, ' ').slice(-(ANSWER_LIMITS.loc - lines.length)) + lines;
}
