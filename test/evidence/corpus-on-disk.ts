import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ChunkRecord, SkipReason, SourceRecord, WorkerAnswer } from '../../src/contracts/index.ts';
import { type ReduceJob, SourceFiles } from '../../src/evidence/index.ts';

export function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Real documents in a temporary directory, cut into chunks of whole lines that overlap by one line. */
export class CorpusOnDisk {
  readonly dir = mkdtempSync(join(tmpdir(), 'rlm-evidence-'));
  readonly chunks: ChunkRecord[] = [];
  readonly sources: SourceRecord[] = [];
  readonly reader = new SourceFiles((source) => join(this.dir, source));

  add(source: string, text: string, linesPerChunk = 1000): ChunkRecord[] {
    const bytes = Buffer.from(text);
    mkdirSync(dirname(join(this.dir, source)), { recursive: true });
    writeFileSync(join(this.dir, source), bytes);
    const lines = text.split(/(?<=\n)/);
    const made: ChunkRecord[] = [];
    for (let first = 0; first < lines.length; first += linesPerChunk) {
      const from = Math.max(0, first - 1);
      const to = Math.min(lines.length, first + linesPerChunk);
      const start = Buffer.byteLength(lines.slice(0, from).join(''));
      const end = Buffer.byteLength(lines.slice(0, to).join(''));
      made.push({
        chunk_id: `c-${String(this.chunks.length + made.length + 1).padStart(6, '0')}`,
        source,
        source_sha256: sha256Of(bytes),
        byte_start: start,
        byte_end: end,
        line_start: from + 1,
        line_end: to,
        sha256: sha256Of(bytes.subarray(start, end)),
        tokens: 1,
      });
    }
    this.chunks.push(...made);
    this.sources.push({
      status: 'read',
      path: source,
      file: join(this.dir, source),
      kind: 'text',
      encoding: 'utf-8',
      bytes: bytes.length,
      sha256: sha256Of(bytes),
      mtime_ms: 0,
      inode: 0,
      first_chunk: made[0]?.chunk_id ?? null,
      last_chunk: made.at(-1)?.chunk_id ?? null,
      chunks: made.length,
      tokens: 1,
      text_path: null,
      text_bytes: bytes.length,
      positions_path: null,
      manifest_start: 0,
      manifest_end: 0,
    });
    return made;
  }

  leaveOut(source: string, bytes: number | null, reason: SkipReason = 'binary'): void {
    this.sources.push({ status: 'skipped', path: source, file: source, bytes, reason, detail: '' });
  }

  /** Writes an answer as a batch would, and gives its job. */
  job(chunks: ChunkRecord[], answer: Partial<WorkerAnswer>, question = 'What is said?'): ReduceJob {
    const id = `j-${this.#jobs}`;
    this.#jobs += 1;
    const path = join(this.dir, `${id}.answer.json`);
    const whole: WorkerAnswer = {
      chunk_id: chunks[0]?.chunk_id ?? 'c-000000',
      relevant: true,
      summary: 'A summary.',
      confidence: 0.8,
      evidence: [],
      gaps: [],
      errors: [],
      ...answer,
    };
    writeFileSync(path, JSON.stringify(whole));
    return { job_id: id, question, status: 'accepted', chunks, answer_path: path };
  }

  /** A job that gave no answer. */
  unanswered(chunks: ChunkRecord[], status: 'failed' | 'never_sent'): ReduceJob {
    this.#jobs += 1;
    return {
      job_id: `j-${this.#jobs}`,
      question: 'What is said?',
      status,
      chunks,
      answer_path: null,
      failure: 'timeout',
    };
  }

  #jobs = 0;
}
