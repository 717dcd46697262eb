import { once } from 'node:events';
import { createWriteStream, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

/** Most pieces that one job holds. */
const MAX_PACKED = 64;

/**
 * Questions × chosen chunks to a jobs file. Short chunks of one document are packed into one job up to a token
 * budget, in the order of the document; never across documents, so that an edit of one changes its own jobs
 * only. The same input gives the same file: ids are `<prefix>q<question>-<first chunk>`.
 *
 * @param file name of the jobs file in the run directory; replaced atomically
 */
export async function buildJobs(
  corpus: Corpus,
  questions: QuestionChunks[],
  options: { file: string; prefix: string; packTokens: number; timeoutSec?: number | undefined },
): Promise<BuiltJobs> {
  const schemaPath = writeAnswerSchema(corpus.runDir);
  const path = join(corpus.runDir, options.file);
  ensureDirectory(dirname(path));
  const temporary = temporaryName(path);
  const out = createWriteStream(temporary, { flags: 'wx', mode: FILE_MODE });
  const built: BuiltJobs = { jobs: 0, chunks: 0, tokens: 0 };
  for (const [index, { question, chunkIds }] of questions.entries()) {
    const ordinals = [...new Set(chunkIds.map((id) => ordinalOf(corpus, id)))].sort((a, b) => a - b);
    for (const pack of packsOf(await chunkRecords(corpus, ordinals), options.packTokens)) {
      const job = jobOf(corpus, pack, { question, id: `${options.prefix}q${index + 1}`, schemaPath });
      const timed = options.timeoutSec === undefined ? job : { ...job, timeout_sec: options.timeoutSec };
      if (!out.write(`${JSON.stringify(timed)}\n`)) await once(out, 'drain');
      built.jobs += 1;
      built.chunks += pack.length;
      built.tokens += pack.reduce((sum, chunk) => sum + chunk.tokens, 0);
    }
  }
  out.end();
  await once(out, 'close');
  renameSync(temporary, path);
  return built;
}

/** The JSON Schema of a worker's answer, in the run, where `schema_path` can name it. */
export function writeAnswerSchema(runDir: string): string {
  const path = join(runDir, ASK_FILES.answerSchema);
  ensureDirectory(dirname(path));
  writeJsonAtomic(path, z.toJSONSchema(WorkerAnswer));
  return path;
}

function* packsOf(chunks: ChunkRecord[], packTokens: number): Generator<[ChunkRecord, ...ChunkRecord[]]> {
  let pack: [ChunkRecord, ...ChunkRecord[]] | undefined;
  let tokens = 0;
  for (const chunk of chunks) {
    const fits = tokens + chunk.tokens <= packTokens && (pack?.length ?? 0) < MAX_PACKED;
    if (pack !== undefined && (pack[0].source !== chunk.source || !fits)) {
      yield pack;
      pack = undefined;
    }
    if (pack === undefined) {
      pack = [chunk];
      tokens = 0;
    } else pack.push(chunk);
    tokens += chunk.tokens;
  }
  if (pack !== undefined) yield pack;
}

function jobOf(
  corpus: Corpus,
  pack: [ChunkRecord, ...ChunkRecord[]],
  of: { question: string; id: string; schemaPath: string },
): JobRecord {
  const [first] = pack;
  const path = textFile(corpus, sourceAt(corpus, corpus.spans.source(ordinalOf(corpus, first.chunk_id))));
  const id = `${of.id}-${first.chunk_id}`;
  return {
    job_id: id,
    chunk_id: first.chunk_id,
    chunk_path: path,
    question: of.question,
    output_path: `subresults/${id}.json`,
    schema_path: of.schemaPath,
    sandbox: 'read-only',
    spans: pack.map((chunk) => ({
      chunk_id: chunk.chunk_id,
      path,
      source: chunk.source,
      line_start: chunk.line_start,
      byte_start: chunk.byte_start,
      byte_end: chunk.byte_end,
    })),
  };
}
