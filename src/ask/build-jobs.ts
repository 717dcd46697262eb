import { createHash } from 'node:crypto';
import { createWriteStream, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { type ChunkRecord, type JobRecord, WorkerAnswer } from '../contracts/index.ts';
import { type Corpus, chunkRecords, ordinalOf, sourceAt, textFile } from '../corpus/index.ts';
import { ensureDirectory, FILE_MODE, temporaryName, writeJsonAtomic } from '../files/index.ts';
import { ASK_FILES } from './files.ts';

/** One question and the chunks that may answer it. */
export interface QuestionChunks {
  question: string;
  chunkIds: string[];
}

export interface BuiltJobs {
  jobs: number;
  chunks: number;
  /** Of the chunks' text; the instructions of a job come on top. */
  tokens: number;
}

export interface BuildOptions {
  /** Name of the jobs file in the run directory; replaced atomically. */
  file: string;
  /** What the ids of the jobs start with. */
  prefix: string;
  packTokens: number;
  /** Also pack chunks of several documents into one job: for a corpus that is one job as a whole. */
  acrossDocuments?: boolean;
}

/** Most pieces that one job holds. */
export const MAX_PACKED = 64;

/**
 * Questions × chosen chunks to a jobs file. Short chunks of one document are packed into one job up to a token
 * budget, in the order of the document; not across documents, so that an edit of one changes its own jobs only.
 *
 * The same input gives the same file. Ids are `<prefix>q<question>-<first chunk>-<hash>`; the hash covers the
 * question and the text, so that what was answered under an id is never taken for the answer to something else.
 *
 * @throws RlmError `not_found` for a chunk that the corpus does not have
 */
export async function buildJobs(
  corpus: Corpus,
  questions: QuestionChunks[],
  options: BuildOptions,
): Promise<BuiltJobs> {
  const path = join(corpus.runDir, options.file);
  ensureDirectory(dirname(path));
  const built: BuiltJobs = { jobs: 0, chunks: 0, tokens: 0 };
  const temporary = temporaryName(path);
  try {
    const out = createWriteStream(temporary, { flags: 'wx', mode: FILE_MODE });
    await pipeline(jobLines(corpus, questions, options, built), out);
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
  return built;
}

/** The lines of the jobs file; counts what goes by. */
async function* jobLines(
  corpus: Corpus,
  questions: QuestionChunks[],
  options: BuildOptions,
  built: BuiltJobs,
): AsyncGenerator<string> {
  const schemaPath = writeAnswerSchema(corpus.runDir);
  for (const [index, { question, chunkIds }] of questions.entries()) {
    const ordinals = [...new Set(chunkIds.map((id) => ordinalOf(corpus, id)))].sort((a, b) => a - b);
    for (const pack of packsOf(chunkRecords(corpus, ordinals), options)) {
      const job = jobOf(corpus, pack, { question, prefix: `${options.prefix}q${index + 1}`, schemaPath });
      built.jobs += 1;
      built.chunks += pack.length;
      built.tokens += pack.reduce((sum, chunk) => sum + chunk.tokens, 0);
      yield `${JSON.stringify(job)}\n`;
    }
  }
}

/** The JSON Schema of a worker's answer, in the run, where `schema_path` can name it. */
function writeAnswerSchema(runDir: string): string {
  const path = join(runDir, ASK_FILES.answerSchema);
  ensureDirectory(dirname(path));
  writeJsonAtomic(path, z.toJSONSchema(WorkerAnswer));
  return path;
}

type Pack = [ChunkRecord, ...ChunkRecord[]];

function* packsOf(chunks: ChunkRecord[], { packTokens, acrossDocuments }: BuildOptions): Generator<Pack> {
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
  pack: Pack,
  of: { question: string; prefix: string; schemaPath: string },
): JobRecord {
  const spans = pack.map((chunk) => ({
    chunk_id: chunk.chunk_id,
    path: textFile(corpus, sourceAt(corpus, corpus.spans.source(ordinalOf(corpus, chunk.chunk_id)))),
    source: chunk.source,
    line_start: chunk.line_start,
    byte_start: chunk.byte_start,
    byte_end: chunk.byte_end,
  }));
  const id = `${of.prefix}-${pack[0].chunk_id}-${contentHash(of.question, pack)}`;
  return {
    job_id: id,
    chunk_id: pack[0].chunk_id,
    chunk_path: spans[0]?.path ?? '',
    question: of.question,
    output_path: `subresults/${id}.json`,
    schema_path: of.schemaPath,
    sandbox: 'read-only',
    spans,
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
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 8);
}
