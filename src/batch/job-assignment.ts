import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { ANSWER_LIMITS, type JobRecord, WorkerAnswer } from '../contracts/index.ts';
import { type Acceptance, AnswerCache, type Assignment, type Piece, type Split } from '../dispatch/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { ensureDirectory, writeFileAtomic } from '../files/index.ts';
import { type ChunkText, checkAnswer, findJsonObject } from './answer.ts';
import type { Job } from './jobs.ts';
import { CHUNK_INSTRUCTIONS, chunkInput } from './prompt.ts';
import { type CompiledSchema, compileSchema } from './schema.ts';

/** What all jobs of a batch share. */
export interface BatchSettings {
  model: string | null;
  effort: string | null;
  cwd: string;
  timeoutSec: number;
  /** A larger chunk goes by path instead of in the prompt. */
  embedBytes: number;
}

/** A job as an assignment of dispatch: its chunk is read when its turn comes, its result goes to `output_path`. */
export function jobAssignment(job: Job, settings: BatchSettings): Assignment {
  return {
    id: job.record.job_id,
    async prepare() {
      const schema = compileSchema(job.schemaPath);
      const loaded = loadChunk(job, settings.embedBytes);
      const { source, lineStart } = loaded.chunk;
      const content = [loaded.sha256, source, job.record.question, schema.sha256, CHUNK_INSTRUCTIONS];
      return {
        ...chunkPiece(job, settings, schema, loaded.chunk),
        key: AnswerCache.key([
          ...content,
          job.record.chunk_id,
          String(lineStart),
          settings.model,
          settings.effort,
        ]),
        // Neither chunk_id nor line: a chunk that moved because another file was edited keeps its answers.
        cacheKey: AnswerCache.key(content),
        adopt: (text) => JSON.stringify({ ...findJsonObject(text), chunk_id: job.record.chunk_id }),
        commit(text) {
          ensureDirectory(dirname(job.outputPath));
          writeFileAtomic(job.outputPath, text);
          return { output_path: job.outputPath, output_sha256: sha256(text) };
        },
      };
    },
  };
}

/** What a whole chunk and the halves of a split one have in common. */
function chunkPiece(job: Job, settings: BatchSettings, schema: CompiledSchema, chunk: ChunkText): Piece {
  return {
    call: () => ({
      instructions: CHUNK_INSTRUCTIONS,
      input: chunkInput(job.record.question, chunk, job.chunkPath),
      ...(chunk.text === undefined
        ? {}
        : {
            material: {
              question: job.record.question,
              chunkId: chunk.chunkId,
              source: chunk.source,
              lineStart: chunk.lineStart,
              text: chunk.text,
            },
          }),
      ...(schema.strict ? { schema: { path: schema.path, value: schema.value } } : {}),
      model: settings.model,
      effort: settings.effort,
      sandbox: { mode: 'read-only' },
      tools: chunk.text === undefined,
      cwd: settings.cwd,
      timeoutMs: (job.record.timeout_sec ?? settings.timeoutSec) * 1000,
    }),
    accept: (text) => acceptAnswer(text, chunk, schema),
    split: () => splitChunk(job, settings, schema, chunk),
  };
}

function acceptAnswer(text: string, chunk: ChunkText, schema: CompiledSchema): Acceptance {
  const checked = checkAnswer(text, chunk, schema);
  if (!checked.ok) return checked;
  return { ok: true, text: `${JSON.stringify(checked.answer, null, 2)}\n`, detail: { ...checked.detail } };
}

/** Two halves at the line end nearest the middle; undefined for a chunk of one line. */
function splitChunk(
  job: Job,
  settings: BatchSettings,
  schema: CompiledSchema,
  chunk: ChunkText,
): Split | undefined {
  const { text } = chunk;
  if (text === undefined) return undefined;
  const middle = text.lastIndexOf('\n', Math.floor(text.length / 2));
  const cut = middle > 0 ? middle + 1 : text.indexOf('\n', Math.floor(text.length / 2)) + 1;
  if (cut <= 0 || cut >= text.length) return undefined;
  const head = text.slice(0, cut);
  const halves = [
    { ...chunk, text: head },
    { ...chunk, text: text.slice(cut), lineStart: chunk.lineStart + head.split('\n').length - 1 },
  ];
  return {
    parts: halves.map((half) => chunkPiece(job, settings, schema, half)),
    merge: (texts) =>
      JSON.stringify(mergeAnswers(texts.map((answer) => WorkerAnswer.parse(JSON.parse(answer))))),
  };
}

/** The answers about two halves as one about the whole: what is relevant counts, everything found is kept. */
function mergeAnswers(answers: WorkerAnswer[]): WorkerAnswer {
  const relevant = answers.filter((answer) => answer.relevant);
  const counted = relevant.length > 0 ? relevant : answers;
  return {
    chunk_id: answers[0]?.chunk_id ?? '',
    relevant: relevant.length > 0,
    summary: counted
      .map((answer) => answer.summary)
      .join(' ')
      .slice(0, ANSWER_LIMITS.summary),
    confidence: counted.reduce((sum, answer) => sum + answer.confidence, 0) / counted.length,
    evidence: answers.flatMap((answer) => answer.evidence).slice(0, ANSWER_LIMITS.evidence),
    gaps: [...new Set(answers.flatMap((answer) => answer.gaps))].slice(0, ANSWER_LIMITS.list),
    errors: [...new Set(answers.flatMap((answer) => answer.errors))].slice(0, ANSWER_LIMITS.list),
  };
}

function loadChunk(job: Job, embedBytes: number): { chunk: ChunkText; sha256: string } {
  const { record, chunkPath } = job;
  let fd: number;
  try {
    fd = openSync(chunkPath, 'r');
  } catch (error) {
    throw new RlmError('usage', `chunk_path ${chunkPath}: ${messageOf(error)}`);
  }
  try {
    const { size } = fstatSync(fd);
    const start = record.byte_start ?? 0;
    const end = record.byte_end ?? size;
    if (start > end || end > size) {
      throw new RlmError('usage', `bytes ${start}-${end} do not lie in ${chunkPath} (${size} bytes)`, {
        hint: 'The document changed since its chunks were made; ingest it again.',
      });
    }
    if (end - start <= embedBytes) {
      const bytes = Buffer.concat([...spanOf(fd, start, end)]);
      return { chunk: chunkOf(record, bytes.toString('utf8')), sha256: sha256(bytes) };
    }
    if (end - start < size) {
      throw new RlmError(
        'limit',
        `the span ${start}-${end} of ${chunkPath} is larger than ${embedBytes} bytes`,
        {
          hint: 'Make smaller chunks, or raise limits.embed_bytes in .rlm/config.json.',
        },
      );
    }
    const hash = createHash('sha256');
    for (const bytes of spanOf(fd, start, end)) hash.update(bytes);
    return { chunk: chunkOf(record, undefined), sha256: hash.digest('hex') };
  } finally {
    closeSync(fd);
  }
}

/** The bytes of a span, a part at a time. */
function* spanOf(fd: number, start: number, end: number): Generator<Buffer> {
  for (let at = start; at < end; ) {
    const part = Buffer.allocUnsafe(Math.min(1 << 20, end - at));
    const read = readSync(fd, part, 0, part.length, at);
    if (read === 0) throw new RlmError('conflict', 'the chunk shrank while it was read');
    at += read;
    yield part.subarray(0, read);
  }
}

function chunkOf(record: JobRecord, text: string | undefined): ChunkText {
  return {
    chunkId: record.chunk_id,
    source: record.source ?? record.chunk_path,
    lineStart: record.line_start ?? 1,
    text,
  };
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
