import type { SearchMode, SearchResult } from '../../contracts/index.ts';
import { RlmError } from '../../errors.ts';
import { sha256 } from '../../text/index.ts';
import { type Corpus, openCorpus } from '../corpus.ts';
import { yieldRegularly } from '../event-loop.ts';
import { type HitReader, hitReader } from './hits.ts';
import { type QueryInput, type Question, queryText, understand } from './question.ts';
import { fuse, type Ranking, rank } from './ranking.ts';
import { compilePattern, rankByPattern } from './regex.ts';
import { countTerms } from './scan.ts';
import { type EmbeddingEndpoint, embed, rankByVector } from './vector.ts';

const DEFAULT_TOP_K = 10;
/** Three passes of 500 chunks, each of which must see past those before it. */
const MAX_TOP_K = 1500;
/** How many chunks BM25 hands to the vectors. */
const DEFAULT_RERANK = 200;
const DEFAULT_PATTERN_TIME_MS = 30_000;

export interface SearchOptions {
  /** Default `bm25`. */
  mode?: SearchMode;
  /** Hits for each question. Default 10, at most 1500. */
  topK?: number;
  /** For `vector` and `hybrid`. */
  embeddings?: EmbeddingEndpoint;
  /** Chunks that BM25 hands to the vectors. Default 200. */
  rerank?: number;
  /** For `regex`: after it a pass ends and says how far it came. Default 30 s. */
  patternTimeMs?: number;
  signal?: AbortSignal;
}

/**
 * Searches the chunks of a run for several questions in one pass.
 *
 * `bm25` ranks by the question's words and their forms; `vector` orders the best of
 * those anew by embeddings (all chunks, when they are few); `hybrid` joins both by reciprocal rank fusion;
 * `regex` takes each query as a pattern in RE2 syntax and ranks by the number of matches.
 *
 * @returns one result for each query, in their order. Nothing found is a result with no hits
 * @throws RlmError `usage` for an empty query or a bad pattern, `unavailable` for `vector` without an endpoint
 *   that answers (`hybrid` then uses BM25 alone and notes it)
 */
export async function search(
  runDir: string | Corpus,
  queries: readonly QueryInput[],
  options: SearchOptions = {},
): Promise<SearchResult[]> {
  const corpus = typeof runDir === 'string' ? await openCorpus(runDir) : runDir;
  if (queries.some((query) => queryText(query).trim() === '')) {
    throw new RlmError('usage', 'a query is empty', { hint: 'Say what to look for.' });
  }
  const pass: Pass = {
    corpus,
    topK: Math.min(MAX_TOP_K, Math.max(1, options.topK ?? DEFAULT_TOP_K)),
    yieldIfDue: yieldRegularly(options.signal),
    options,
    hits: hitReader(corpus),
  };
  const mode = options.mode ?? 'bm25';
  return mode === 'regex' ? searchPatterns(pass, queries) : searchQuestions(pass, queries, mode);
}

/** What all queries of one call share. */
interface Pass {
  corpus: Corpus;
  topK: number;
  yieldIfDue: () => Promise<void> | undefined;
  options: SearchOptions;
  hits: HitReader;
}

async function searchPatterns(pass: Pass, queries: readonly QueryInput[]): Promise<SearchResult[]> {
  const { corpus, topK, options } = pass;
  const patterns = await Promise.all(queries.map(queryText).map(compilePattern));
  const notes: string[] = [];
  const rankings = await rankByPattern(corpus, patterns, {
    limit: topK,
    timeLimitMs: options.patternTimeMs ?? DEFAULT_PATTERN_TIME_MS,
    yieldIfDue: pass.yieldIfDue,
    notes,
  });
  const results: SearchResult[] = [];
  for (const [index, pattern] of patterns.entries()) {
    const ranking = rankings[index] ?? { best: [], matching: 0 };
    const ownNotes = [...notes];
    const hits = ranking.best.map((scored) => pass.hits.ofPattern(scored, pattern, ownNotes));
    results.push({
      query: pattern.source,
      mode: 'regex',
      matching_chunks: ranking.matching,
      hits,
      expanded: [],
      notes: ownNotes,
    });
  }
  return results;
}

async function searchQuestions(
  pass: Pass,
  queries: readonly QueryInput[],
  mode: Exclude<SearchMode, 'regex'>,
): Promise<SearchResult[]> {
  const questions = queries.map(understand);
  const wanted = mode === 'bm25' ? pass.topK : Math.max(pass.topK, pass.options.rerank ?? DEFAULT_RERANK);
  const notes: string[] = [];
  const rankings = await rankQuestions(pass, questions, wanted, notes);
  const results: SearchResult[] = [];
  for (const [index, question] of questions.entries()) {
    const ranking = rankings[index] ?? { best: [], matching: 0 };
    const ownNotes = [...question.notes, ...notes];
    const best = await inMode(pass, question, ranking, mode, ownNotes);
    const hits = best.slice(0, pass.topK).map((scored) => pass.hits.ofQuestion(scored, question, ownNotes));
    results.push({
      query: question.text,
      mode,
      matching_chunks: ranking.matching,
      hits,
      expanded: question.expanded,
      notes: ownNotes,
    });
  }
  return results;
}

/** BM25 for all questions from one pass over the texts. */
async function rankQuestions(
  pass: Pass,
  questions: readonly Question[],
  limit: number,
  notes: string[],
): Promise<Ranking[]> {
  const { corpus } = pass;
  const terms = new Map<string, number>();
  for (const { groups } of questions) {
    for (const { members } of groups) {
      for (const { term } of members) if (!terms.has(term)) terms.set(term, terms.size);
    }
  }
  const tallies = await countTerms(corpus, [...terms.keys()], { yieldIfDue: pass.yieldIfDue, notes });
  return questions.map((question) => rank(corpus, question, terms, tallies, limit));
}

/** The ranking of BM25 as the mode wants it: as it is, ordered anew by vectors, or joined with that order. */
async function inMode(
  pass: Pass,
  question: Question,
  ranking: Ranking,
  mode: Exclude<SearchMode, 'regex'>,
  notes: string[],
): Promise<Ranking['best']> {
  if (mode === 'bm25') return ranking.best;
  try {
    const byVector = await orderByVector(pass, question, ranking, notes);
    return mode === 'vector' ? byVector : fuse([ranking.best, byVector], pass.topK);
  } catch (error) {
    if (mode === 'vector' || !(error instanceof RlmError) || error.code !== 'unavailable') throw error;
    notes.push(`ranked by BM25 alone: ${error.message}`);
    return ranking.best;
  }
}

async function orderByVector(
  pass: Pass,
  question: Question,
  ranking: Ranking,
  notes: string[],
): Promise<Ranking['best']> {
  const { corpus, options } = pass;
  const endpoint = options.embeddings;
  if (endpoint === undefined) {
    throw new RlmError('unavailable', 'no embeddings endpoint is configured', {
      hint: 'Name one (url, model, key variable), or search with mode bm25.',
    });
  }
  const few = corpus.record.chunks <= (options.rerank ?? DEFAULT_RERANK);
  const ordinals = few
    ? Array.from({ length: corpus.record.chunks }, (_, ordinal) => ordinal)
    : ranking.best.map(({ ordinal }) => ordinal);
  const chunks = pass.hits.texts(ordinals, notes);
  const asked = { sha256: sha256(question.text), text: question.text };
  const [vector, ...vectors] = await embed(endpoint, [asked, ...chunks], options.signal);
  if (vector === undefined) return [];
  const candidates = vectors.map((of, index) => ({ ordinal: chunks[index]?.ordinal ?? 0, vector: of }));
  return rankByVector(vector, candidates);
}
