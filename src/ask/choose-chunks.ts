import { type EvidenceFile, Expansion } from '../contracts/index.ts';
import { type Corpus, chunkIdOf, type EmbeddingEndpoint, search } from '../corpus/index.ts';
import type { Stop } from '../dispatch/index.ts';
import { MAX_PACKED, type QuestionChunks } from './jobs.ts';
import { runModelSteps, type StepContext } from './model-step.ts';

/** Which chunks go to work. */
export interface ChosenChunks {
  questions: QuestionChunks[];
  notes: string[];
}

/** Every chunk's id when the whole corpus fits one job, else undefined. */
export function everyChunk(corpus: Corpus, packTokens: number): string[] | undefined {
  if (corpus.record.tokens > packTokens || corpus.record.chunks > MAX_PACKED) return undefined;
  return allChunks(corpus);
}

export function allChunks(corpus: Corpus): string[] {
  return Array.from({ length: corpus.record.chunks }, (_, ordinal) => chunkIdOf(ordinal));
}

/** The best chunks for each question, none twice and none that was read before. */
export async function chooseChunks(
  corpus: Corpus,
  questions: string[],
  options: {
    /** Chunks in all, shared between the questions. */
    topK: number;
    expansion: Expansion | null;
    /** With an endpoint, vectors and words choose together; when it does not answer, words alone and a note. */
    embeddings: EmbeddingEndpoint | undefined;
    /** Chunks that are not to be chosen again. */
    without: ReadonlySet<string>;
    signal: AbortSignal;
  },
): Promise<ChosenChunks> {
  if (corpus.record.chunks === 0) return { questions: [], notes: ['there is no text to search'] };
  const terms =
    options.expansion === null ? [] : [...options.expansion.terms, ...options.expansion.phrasings];
  const results = await search(
    corpus,
    questions.map((text) => ({ text, expandedTerms: terms })),
    {
      ...(options.embeddings === undefined
        ? { mode: 'bm25' }
        : { mode: 'hybrid', embeddings: options.embeddings }),
      // Room for those that were read before.
      topK: options.topK + options.without.size,
      signal: options.signal,
    },
  );
  const taken = new Set(options.without);
  const chosen: QuestionChunks[] = questions.map((question) => ({ question, chunkIds: [] }));
  // In turn, the best first, so that no question takes all.
  for (let rank = 0, left = options.topK; left > 0; rank += 1) {
    if (results.every(({ hits }) => hits[rank] === undefined)) break;
    for (const [index, { hits }] of results.entries()) {
      const id = hits[rank]?.chunk_id;
      if (id === undefined || taken.has(id) || left === 0) continue;
      taken.add(id);
      left -= 1;
      chosen[index]?.chunkIds.push(id);
    }
  }
  return { questions: chosen, notes: results.flatMap(({ notes }) => notes) };
}

/** What a follow-up asks at most. */
const MAX_QUESTIONS = 4;
/** Evidence surer than this settles a question that no model judged. */
const SETTLED = 0.5;

/**
 * What is to be looked for in the next best chunks: the gaps that a synthesis named; without one, the question
 * itself while nothing sure was found. Empty when nothing is open.
 */
export function gapsToFollow(
  question: string,
  evidence: EvidenceFile,
  synthesised: string[] | undefined,
): string[] {
  if (synthesised !== undefined) {
    return synthesised.slice(0, MAX_QUESTIONS).map((gap) => `${question}\nIn particular: ${gap}`);
  }
  return evidence.items.some((item) => item.confidence >= SETTLED) ? [] : [question];
}

const EXPANSION_INSTRUCTIONS = `You prepare a question for a word search over documents that you do not see.

Answer with one JSON object: {"terms": [], "phrasings": []}.
- "terms": up to 40 single words, identifiers or short names that a document answering the question may use instead of the question's own words: synonyms, technical terms, option names, abbreviations and what they stand for, in the language of the question and in English.
- "phrasings": up to 10 short phrases in which a document may say it.
Do not answer the question. Do not repeat words that are in the question.
`;

/**
 * Asks a model for words that the documents may use instead of the question's. One call, kept in the run.
 *
 * @returns null when the model gave none that can be used: the search then goes by the question's own words
 */
export async function expandQuestion(
  question: string,
  within: StepContext,
): Promise<{ expansion: Expansion | null; stop: Stop | undefined }> {
  const step = {
    id: 'expansion',
    instructions: EXPANSION_INSTRUCTIONS,
    input: `Question: ${question}\n`,
    schema: Expansion,
    check: () => [],
  };
  const { answers, stop } = await runModelSteps([step], within);
  return { expansion: answers[0] ?? null, stop };
}
