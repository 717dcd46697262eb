import { closeSync, ftruncateSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ChunkRecord,
  type CorpusRecord,
  type ReadSource,
  RUN_FILES,
  SCHEMA_VERSION,
  type SourceRecord,
} from '../../contracts/index.ts';
import {
  ensureDirectory,
  FILE_MODE,
  removeAbandoned,
  temporaryName,
  writeAll,
  writeJsonAtomic,
} from '../../files/index.ts';
import { chunkIdOf } from '../corpus.ts';
import { SpanWriter } from '../spans.ts';

const FLUSH_CHARACTERS = 1 << 20;

/** What a source's record says besides what the writer counts itself. */
export type SourceFacts = Omit<
  ReadSource,
  'first_chunk' | 'last_chunk' | 'chunks' | 'tokens' | 'manifest_start' | 'manifest_end'
>;
/** What a chunk's record says besides its id and its source. */
export type ChunkFacts = Omit<ChunkRecord, 'chunk_id' | 'source' | 'source_sha256'>;

export interface WriterMark {
  chunks: number;
  manifest: number;
}

/** Writes a corpus under temporary names, and puts all of it in place at the end. */
export class CorpusWriter {
  readonly #runDir: string;
  readonly #manifest: LineFile;
  readonly #sources: LineFile;
  readonly #spans: SpanWriter;
  readonly #temporary: { manifest: string; sources: string; spans: string };
  #chunks = 0;
  #read = 0;
  #skipped = 0;
  #bytes = 0;
  #tokens = 0;

  constructor(runDir: string) {
    this.#runDir = runDir;
    ensureDirectory(join(runDir, RUN_FILES.chunks));
    ensureDirectory(join(runDir, RUN_FILES.inputs));
    // An ingest that was killed leaves up to a whole corpus behind.
    for (const name of [RUN_FILES.chunks, RUN_FILES.inputs]) removeAbandoned(join(runDir, name));
    this.#temporary = {
      manifest: temporaryName(join(runDir, RUN_FILES.manifest)),
      sources: temporaryName(join(runDir, RUN_FILES.sources)),
      spans: temporaryName(join(runDir, RUN_FILES.spans)),
    };
    this.#manifest = new LineFile(this.#temporary.manifest);
    this.#sources = new LineFile(this.#temporary.sources);
    this.#spans = new SpanWriter(this.#temporary.spans);
  }

  /** The state between two sources. */
  mark(): WriterMark {
    return { chunks: this.#chunks, manifest: this.#manifest.bytes };
  }

  /** Forgets the chunks of a source that was not finished. */
  backTo(mark: WriterMark): void {
    if (mark.chunks === this.#chunks) return;
    this.#chunks = mark.chunks;
    this.#manifest.truncate(mark.manifest);
    this.#spans.truncate(mark.chunks);
  }

  /** Starts a source: chunks are added to what is returned, and `finish` writes its record. */
  source(facts: SourceFacts): { add(chunk: ChunkFacts): void; finish(): void } {
    const first = this.#chunks;
    const manifestStart = this.#manifest.bytes;
    const index = this.#read + this.#skipped;
    let tokens = 0;
    return {
      add: (chunk) => {
        this.#spans.push({
          start: chunk.byte_start,
          length: chunk.byte_end - chunk.byte_start,
          lineStart: chunk.line_start,
          lineEnd: chunk.line_end,
          source: index,
          manifestOffset: this.#manifest.bytes,
        });
        const record: ChunkRecord = {
          chunk_id: chunkIdOf(this.#chunks),
          source: facts.path,
          source_sha256: facts.sha256,
          byte_start: chunk.byte_start,
          byte_end: chunk.byte_end,
          line_start: chunk.line_start,
          line_end: chunk.line_end,
          sha256: chunk.sha256,
          tokens: chunk.tokens,
        };
        this.#manifest.write(record);
        this.#chunks += 1;
        tokens += chunk.tokens;
      },
      finish: () => {
        const some = this.#chunks > first;
        const record: ReadSource = {
          ...facts,
          first_chunk: some ? chunkIdOf(first) : null,
          last_chunk: some ? chunkIdOf(this.#chunks - 1) : null,
          chunks: this.#chunks - first,
          tokens,
          manifest_start: manifestStart,
          manifest_end: this.#manifest.bytes,
        };
        this.#sources.write(record);
        this.#read += 1;
        this.#bytes += facts.text_bytes;
        this.#tokens += tokens;
      },
    };
  }

  skip(record: Extract<SourceRecord, { status: 'skipped' }>): void {
    this.#sources.write(record);
    this.#skipped += 1;
  }

  /** Puts the files in place; `corpus.json` comes last and says what the others must be. */
  commit(settings: Pick<CorpusRecord, 'base' | 'target_tokens' | 'overlap_lines'>): CorpusRecord {
    this.#manifest.close();
    this.#sources.close();
    this.#spans.close();
    const record: CorpusRecord = {
      schema_version: SCHEMA_VERSION,
      created_at: new Date().toISOString(),
      ...settings,
      sources_read: this.#read,
      sources_skipped: this.#skipped,
      chunks: this.#chunks,
      bytes: this.#bytes,
      tokens: this.#tokens,
      manifest_bytes: this.#manifest.bytes,
      sources_bytes: this.#sources.bytes,
    };
    rmSync(join(this.#runDir, RUN_FILES.corpus), { force: true });
    renameSync(this.#temporary.manifest, join(this.#runDir, RUN_FILES.manifest));
    renameSync(this.#temporary.sources, join(this.#runDir, RUN_FILES.sources));
    renameSync(this.#temporary.spans, join(this.#runDir, RUN_FILES.spans));
    writeJsonAtomic(join(this.#runDir, RUN_FILES.corpus), record);
    return record;
  }

  /** Leaves the corpus that was there as it is. */
  abandon(): void {
    this.#manifest.close();
    this.#sources.close();
    this.#spans.close();
    for (const path of Object.values(this.#temporary)) rmSync(path, { force: true });
  }
}

/** A new file of JSON lines, written a megabyte at a time: only a whole one is ever put in place. */
class LineFile {
  readonly #fd: number;
  #pending = '';
  #bytes = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'wx', FILE_MODE);
  }

  /** Bytes of all lines so far. */
  get bytes(): number {
    return this.#bytes;
  }

  write(record: unknown): void {
    const line = `${JSON.stringify(record)}\n`;
    this.#pending += line;
    this.#bytes += Buffer.byteLength(line);
    if (this.#pending.length >= FLUSH_CHARACTERS) this.#flush();
  }

  truncate(bytes: number): void {
    this.#flush();
    ftruncateSync(this.#fd, bytes);
    this.#bytes = bytes;
  }

  close(): void {
    this.#flush();
    closeSync(this.#fd);
  }

  #flush(): void {
    const bytes = Buffer.from(this.#pending);
    writeAll(this.#fd, bytes, this.#bytes - bytes.length);
    this.#pending = '';
  }
}
