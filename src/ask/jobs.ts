import { createWriteStream, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Job, standardSchemaPath } from '../batch/index.ts';
import type { ChunkRecord, JobRecord } from '../contracts/index.ts';
import { RUN_FILES } from '../contracts/index.ts';
import { type Corpus, chunkRecords, ordinalOf, sourceAt, textFile } from '../corpus/index.ts';
import { FILE_MODE, temporaryName } from '../files/index.ts';
import { sha256 } from '../text/index.ts';

/** One question and the chunks that may answer it. */
export interface QuestionChunks {
  question: string;
  chunkIds: string[];
}

/** A job over chunks, as a batch runs it; its paths are absolute and need no further check. */
export interface ChunkJob extends Job {
  /** In the order of the document. */
  chunks: Pack;
}

type Pack = [ChunkRecord, ...ChunkRecord[]];

/** Size of some jobs. */
export interface JobCounts {
  jobs: number;
  chunks: number;
  /** Of the chunks' text; the instructions of a job come on top. */
  tokens: number;
}

/** What jobs were built, and what of the documents no job reads. */
export interface BuiltJobs extends JobCounts {
  chunks_total: number;
  chunks_not_taken: number;
  documents_total: number;
  documents_not_taken: number;
}

export interface JobOptions {
  /** What the ids of the jobs start with. */
  prefix: string;
  packTokens: number;
  /** Also pack chunks of several documents into one job: for a corpus that is one job as a whole. */
  acrossDocuments?: boolean;
}

/** Most chunks that one job holds. */
export const MAX_PACKED = 64;

/**
 * Questions × chosen chunks to jobs. Short chunks of one document are packed into one job up to a token budget,
 * in the order of the document; not across documents, so that an edit of one changes its own jobs only.
 *
 * The same input gives the same jobs. Ids are `<prefix>q<question>-<first chunk>-<hash>`; the hash covers the
 * question and the text, so that what was answered under an id is never taken for the answer to something else.
 *
 * @throws RlmError `not_found` for a chunk that the corpus does not have
 */
export function* planJobs(
  corpus: Corpus,
  questions: QuestionChunks[],
  options: JobOptions,
): Generator<ChunkJob> {
  const schemaPath = standardSchemaPath();
  for (const [index, { question, chunkIds }] of questions.entries()) {
    const ordinals = [...new Set(chunkIds.map((id) => ordinalOf(corpus, id)))].sort((a, b) => a - b);
    for (const pack of packsOf(recordsOf(corpus, ordinals), options)) {
      yield jobOf(corpus, pack, { question, prefix: `${options.prefix}q${index + 1}`, schemaPath });
    }
  }
}

/** Records that are read from the manifest at a time: a job over every chunk of a gigabyte needs little memory. */
const RECORDS_AT_ONCE = 2000;

function* recordsOf(corpus: Corpus, ordinals: readonly number[]): Generator<ChunkRecord> {
  for (let at = 0; at < ordinals.length; at += RECORDS_AT_ONCE) {
    yield* chunkRecords(corpus, ordinals.slice(at, at + RECORDS_AT_ONCE));
  }
}

/** Plans jobs and writes them to the run's `jobs.jsonl`, streaming. */
export async function buildJobs(
  corpus: Corpus,
  questions: QuestionChunks[],
  options: JobOptions,
): Promise<BuiltJobs> {
  const counts = noJobs();
  const taken = new Set<number>();
  const sources = new Set<number>();
  const counted = function* () {
    for (const job of planJobs(corpus, questions, options)) {
      addJob(counts, job);
      for (const { chunk_id } of job.chunks) {
        const ordinal = ordinalOf(corpus, chunk_id);
        taken.add(ordinal);
        sources.add(corpus.spans.source(ordinal));
      }
      yield job;
    }
  };
  await writeJobs(corpus.runDir, counted());
  const documents = corpus.sources.filter(({ status }) => status === 'read').length;
  return {
    ...counts,
    chunks_total: corpus.record.chunks,
    chunks_not_taken: corpus.record.chunks - taken.size,
    documents_total: documents,
    documents_not_taken: documents - sources.size,
  };
}

export function countJobs(jobs: Iterable<ChunkJob>): JobCounts {
  const counts = noJobs();
  for (const job of jobs) addJob(counts, job);
  return counts;
}

function noJobs(): JobCounts {
  return { jobs: 0, chunks: 0, tokens: 0 };
}

function addJob(counts: JobCounts, { chunks }: ChunkJob): void {
  counts.jobs += 1;
  counts.chunks += chunks.length;
  counts.tokens += chunks.reduce((sum, chunk) => sum + chunk.tokens, 0);
}

/** Replaces the run's `jobs.jsonl`, whatever an earlier driver left there. */
export async function writeJobs(runDir: string, jobs: Iterable<Job>): Promise<void> {
  const path = join(runDir, RUN_FILES.jobs);
  const temporary = temporaryName(path);
  const lines = function* () {
    for (const { record } of jobs) yield `${JSON.stringify(record)}\n`;
  };
  try {
    await pipeline(lines, createWriteStream(temporary, { flags: 'wx', mode: FILE_MODE }));
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function* packsOf(
  chunks: Iterable<ChunkRecord>,
  { packTokens, acrossDocuments }: JobOptions,
): Generator<Pack> {
  let pack: Pack | undefined;
  let tokens = 0;
  for (const chunk of chunks) {
    const joins =
      pack !== undefined &&
      (acrossDocuments === true || pack[0].source === chunk.source) &&
      tokens + chunk.tokens <= packTokens &&
      pack.length < MAX_PACKED;
    if (pack !== undefined && joins) {
      pack.push(chunk);
      tokens += chunk.tokens;
    } else {
      if (pack !== undefined) yield pack;
      pack = [chunk];
      tokens = chunk.tokens;
    }
  }
  if (pack !== undefined) yield pack;
}

function jobOf(
  corpus: Corpus,
  chunks: Pack,
  of: { question: string; prefix: string; schemaPath: string },
): ChunkJob {
  const spans = chunks.map((chunk) => ({
    chunk_id: chunk.chunk_id,
    path: textFile(corpus, sourceAt(corpus, corpus.spans.source(ordinalOf(corpus, chunk.chunk_id)))),
    source: chunk.source,
    line_start: chunk.line_start,
    byte_start: chunk.byte_start,
    byte_end: chunk.byte_end,
  }));
  const [{ chunk_id }] = chunks;
  const id = `${of.prefix}-${chunk_id}-${contentHash(of.question, chunks)}`;
  const chunkPath = spans[0]?.path ?? '';
  const output = `${RUN_FILES.subresults}/${id}.json`;
  return {
    record: {
      job_id: id,
      chunk_id,
      chunk_path: chunkPath,
      question: of.question,
      output_path: output,
      sandbox: 'read-only',
      spans,
    },
    chunks,
    chunkPath,
    spans,
    schemaPath: of.schemaPath,
    outputPath: join(corpus.runDir, output),
  };
}

/** Whether a job of ours was built from what these chunks hold now; a job of another make is taken as it is. */
export function isBuiltFrom(
  job: Pick<JobRecord, 'job_id' | 'question'>,
  chunks: readonly ChunkRecord[],
): boolean {
  const hash = /-c-\d{6,}-([0-9a-f]{8})$/.exec(job.job_id)?.[1];
  return hash === undefined || hash === contentHash(job.question, chunks);
}

function contentHash(question: string, chunks: readonly ChunkRecord[]): string {
  const content = [question.trim(), ...chunks.map(({ source, sha256 }) => [source, sha256])];
  return sha256(JSON.stringify(content)).slice(0, 8);
}
