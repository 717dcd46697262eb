import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { ANSWER_LIMITS, PassageAnswer, WorkerAnswer } from '../contracts/index.ts';
import {
  type Acceptance,
  AnswerCache,
  type Assignment,
  type Piece,
  quickHash,
  type Split,
} from '../dispatch/index.ts';
import { ensureDirectory, fileMark, resolveInside, writeFileAtomic } from '../files/index.ts';
import { oneLine, sha256 } from '../text/index.ts';
import type { MaterialPart, WorkerName } from '../workers/index.ts';
import { checkAnswer, findJsonObject } from './answer.ts';
import { CHUNK_INSTRUCTIONS, type ChunkText, chunkInput, loadChunk } from './chunk.ts';
import type { Job } from './jobs.ts';
import { type CompiledSchema, compileSchema, requireExtractive } from './schema.ts';

/** What all jobs of a batch share. */
export interface BatchSettings {
  worker: WorkerName;
  model: string | null;
  effort: string | null;
  runDir: string;
  cwd: string;
  timeoutSec: number;
  /** A larger chunk goes by path instead of in the prompt. */
  embedBytes: number;
  /** Weights of the question's terms, for the extractive reader of an ask: then it answers passages. */
  weights?: readonly number[] | undefined;
}

/** A job as an assignment of dispatch: its chunk is read when its turn comes, its result goes to `output_path`. */
export function jobAssignment(job: Job, settings: BatchSettings): Assignment {
  return {
    id: job.record.job_id,
    outputPath: job.outputPath,
    inputMark: () => markOf(job, settings),
    async prepare() {
      const schema = compileSchema(job.schemaPath);
      if (settings.worker === 'extractive') requireExtractive(schema);
      const loaded = loadChunk(job, settings.embedBytes);
      const places = loaded.chunk.parts.map(({ source, lineStart }) => `${source}:${lineStart}`);
      const sources = loaded.chunk.parts.map(({ source }) => source);
      const weights = settings.weights === undefined ? [] : [JSON.stringify(settings.weights)];
      const { question } = job.record;
      const content = [loaded.sha256, ...sources, question, schema.sha256, CHUNK_INSTRUCTIONS, ...weights];
      return {
        ...chunkPiece(job, settings, schema, loaded.chunk),
        key: AnswerCache.key([...content, job.record.chunk_id, ...places, settings.model, settings.effort]),
        // Neither chunk_id nor line: a chunk that moved because another file was edited keeps its answers.
        get cacheKey() {
          return AnswerCache.key(content);
        },
        adopt: (text) => JSON.stringify({ ...findJsonObject(text), chunk_id: job.record.chunk_id }),
        commit(text) {
          // A worker that may write may have put a symlink in the way since the job was checked.
          const path = resolveInside(settings.runDir, job.outputPath, 'output_path');
          const directory = dirname(path);
          if (!existsSync(directory)) ensureDirectory(directory);
          writeFileAtomic(path, text);
          return { output_path: job.outputPath, output_sha256: sha256(text) };
        },
      };
    },
  };
}

const INSTRUCTIONS = quickHash(CHUNK_INSTRUCTIONS);

function markOf(job: Job, settings: BatchSettings): string | undefined {
  const files = new Set([job.chunkPath, ...job.spans.map(({ path }) => path), job.schemaPath]);
  const marks = [...files].map(recentMark);
  if (marks.includes(undefined)) return undefined;
  const { model, effort, embedBytes, weights } = settings;
  const given = [model, effort, embedBytes, INSTRUCTIONS, ...(weights ?? [])];
  return quickHash(JSON.stringify([job.record, ...files, ...given, ...marks]));
}

/** Jobs share their schema, and often their chunk: a file is looked at 20 times a second, not once a job. */
const LOOK_MS = 50;
const looks = new Map<string, string | undefined>();
let lookedAt = 0;

function recentMark(path: string): string | undefined {
  const now = performance.now();
  if (now - lookedAt > LOOK_MS) {
    looks.clear();
    lookedAt = now;
  }
  if (!looks.has(path)) looks.set(path, fileMark(path));
  return looks.get(path);
}

/** What a whole chunk and the halves of a split one have in common. */
function chunkPiece(job: Job, settings: BatchSettings, schema: CompiledSchema, chunk: ChunkText): Piece {
  const { weights } = settings;
  const { question } = job.record;
  return {
    call: () => ({
      instructions: CHUNK_INSTRUCTIONS,
      input: chunkInput(question, chunk, job.chunkPath),
      ...(chunk.parts.length === 0 ? {} : { material: { question, ...chunk, weights } }),
      placeholders: { chunkId: chunk.chunkId, schemaPath: schema.path },
      ...(schema.strict ? { schema: { path: schema.path, value: schema.value } } : {}),
      model: settings.model,
      effort: settings.effort,
      sandbox: { mode: 'read-only' },
      tools: chunk.parts.length === 0,
      cwd: settings.cwd,
      timeoutMs: (job.record.timeout_sec ?? settings.timeoutSec) * 1000,
    }),
    accept: (text) =>
      weights === undefined ? acceptAnswer(text, chunk, schema) : acceptPassages(text, chunk),
    split: () => splitChunk(job, settings, schema, chunk),
  };
}

function acceptAnswer(text: string, chunk: ChunkText, schema: CompiledSchema): Acceptance {
  const checked = checkAnswer(text, chunk, schema);
  if (!checked.ok) return checked;
  const { answer, detail } = checked;
  const missing = chunk.unread ?? [];
  const unread = missing.map(({ chunkId, why }) =>
    oneLine(`${chunkId} was not read: ${why}`, ANSWER_LIMITS.item),
  );
  const whole = { ...answer, errors: [...unread, ...answer.errors].slice(0, ANSWER_LIMITS.list) };
  return {
    ok: true,
    text: `${JSON.stringify(whole, null, 2)}\n`,
    detail: {
      ...detail,
      ...(missing.length === 0 ? {} : { unread: missing.map(({ chunkId }) => chunkId) }),
    },
  };
}

/** Our own reader's answer; a span that is not in its chunk is refused when the evidence is verified. */
function acceptPassages(text: string, { chunkId }: ChunkText): Acceptance {
  const parsed = PassageAnswer.safeParse(findJsonObject(text));
  if (parsed.success && parsed.data.chunk_id === chunkId) {
    return { ok: true, text: `${JSON.stringify(parsed.data)}\n` };
  }
  return { ok: false, errors: ['the answer is not one about passages of this chunk'] };
}

/** Two halves: of the pieces, or of the one piece at the line end nearest its middle; undefined for one line. */
function splitChunk(
  job: Job,
  settings: BatchSettings,
  schema: CompiledSchema,
  chunk: ChunkText,
): Split | undefined {
  const halves = halvesOf(chunk.parts);
  if (halves === undefined) return undefined;
  return {
    parts: halves.map((parts) => chunkPiece(job, settings, schema, { ...chunk, parts })),
    merge: (texts) =>
      JSON.stringify(mergeAnswers(texts.map((answer) => WorkerAnswer.parse(JSON.parse(answer))))),
  };
}

function halvesOf(parts: MaterialPart[]): MaterialPart[][] | undefined {
  const [only] = parts;
  if (only === undefined) return undefined;
  if (parts.length > 1) {
    const middle = Math.ceil(parts.length / 2);
    return [parts.slice(0, middle), parts.slice(middle)];
  }
  const { text } = only;
  const before = text.lastIndexOf('\n', Math.floor(text.length / 2));
  const cut = before > 0 ? before + 1 : text.indexOf('\n', Math.floor(text.length / 2)) + 1;
  if (cut <= 0 || cut >= text.length) return undefined;
  const head = text.slice(0, cut);
  const lineStart = only.lineStart + head.split('\n').length - 1;
  return [[{ ...only, text: head }], [{ ...only, text: text.slice(cut), lineStart }]];
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
