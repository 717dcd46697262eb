import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  CHUNK_ID_PATTERN,
  ChunkRecord,
  CorpusRecord,
  type ReadSource,
  RUN_FILES,
  SourceRecord,
} from '../contracts/index.ts';
import { messageOf, RlmError, systemCode } from '../errors.ts';
import { parseLine, readAt, readLineBatches } from '../files/index.ts';
import { Loaded } from './loaded.ts';
import { readSpans, type Spans } from './spans.ts';

/** An ingested corpus, opened: 32 bytes a chunk and one record a source in memory. */
export interface Corpus {
  readonly runDir: string;
  readonly record: CorpusRecord;
  /** In the order of `sources.jsonl`, the skipped ones as well. */
  readonly sources: readonly SourceRecord[];
  readonly spans: Spans;
}

const FILES = [RUN_FILES.corpus, RUN_FILES.manifest, RUN_FILES.sources, RUN_FILES.spans];

/** Corpora that are kept open; a record of a source takes some three times its line. */
const opened = new Loaded<Corpus>(
  { count: 4, bytes: 32 * 1024 * 1024 },
  ({ spans, record }) => spans.bytes + record.sources_bytes * 3,
);

/**
 * Opens the corpus of a run; one that was opened before and did not change is at hand already.
 *
 * @throws RlmError `not_found` when nothing was ingested, `corrupt` when an ingest was cut off while it
 *   replaced the files; ingesting again fixes that
 */
export async function openCorpus(runDir: string): Promise<Corpus> {
  const files = FILES.map((name) => join(runDir, name));
  return opened.get(runDir, files, () => load(runDir));
}

async function load(runDir: string): Promise<Corpus> {
  const record = readRecord(runDir);
  const sources: SourceRecord[] = [];
  for await (const batch of readLineBatches(join(runDir, RUN_FILES.sources))) {
    for (const line of batch) {
      const value = parseLine(line);
      if (value !== undefined) sources.push(SourceRecord.parse(value));
    }
  }
  const spans = readSpans(join(runDir, RUN_FILES.spans));
  if (spans.count !== record.chunks) throw cutOff(runDir);
  return { runDir, record, sources, spans };
}

function readRecord(runDir: string): CorpusRecord {
  const file = join(runDir, RUN_FILES.corpus);
  let record: CorpusRecord;
  try {
    record = CorpusRecord.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') {
      throw new RlmError('not_found', `no documents were ingested into ${runDir}`, {
        hint: { text: 'Ingest documents into this run first.', action: { tool: 'rlm_ingest', args: {} } },
      });
    }
    throw new RlmError('corrupt', `${file}: ${messageOf(error)}`, { hint: 'Ingest the documents again.' });
  }
  for (const [name, bytes] of [
    [RUN_FILES.manifest, record.manifest_bytes],
    [RUN_FILES.sources, record.sources_bytes],
  ] as const) {
    if (statSync(join(runDir, name), { throwIfNoEntry: false })?.size !== bytes) throw cutOff(runDir);
  }
  return record;
}

function cutOff(runDir: string): RlmError {
  return new RlmError('corrupt', `the files under ${join(runDir, RUN_FILES.chunks)} do not belong together`, {
    hint: 'An ingest was cut off: ingest the documents again.',
  });
}

/** The source with that index; every span points at one that was read. */
export function sourceAt(corpus: Corpus, index: number): ReadSource {
  const source = corpus.sources[index];
  if (source?.status === 'read') return source;
  throw new RlmError('corrupt', `chunk points at source ${index}, which was not read`);
}

/** Where the text of a source lies: the document, or what was extracted from it. Absolute. */
export function textFile(corpus: Corpus, source: ReadSource): string {
  return source.text_path === null ? source.file : join(corpus.runDir, source.text_path);
}

export function chunkIdOf(ordinal: number): string {
  return `c-${String(ordinal + 1).padStart(6, '0')}`;
}

/** The place of a chunk in the manifest, from 0. @throws RlmError `not_found` */
export function ordinalOf(corpus: Corpus, chunkId: string): number {
  const ordinal = Number(CHUNK_ID_PATTERN.exec(chunkId)?.[1] ?? 0) - 1;
  if (ordinal >= 0 && ordinal < corpus.spans.count && chunkIdOf(ordinal) === chunkId) return ordinal;
  const range = corpus.spans.count === 0 ? 'none' : `c-000001 to ${chunkIdOf(corpus.spans.count - 1)}`;
  throw new RlmError('not_found', `no chunk '${chunkId}'`, { hint: `Chunks of this run: ${range}.` });
}

/** Reads manifest lines of some chunks, in the order asked for. */
export function chunkRecords(corpus: Corpus, ordinals: readonly number[]): ChunkRecord[] {
  const fd = openSync(join(corpus.runDir, RUN_FILES.manifest), 'r');
  try {
    return ordinals.map((ordinal) => {
      const start = corpus.spans.manifestOffset(ordinal);
      const last = ordinal + 1 === corpus.spans.count;
      const end = last ? corpus.record.manifest_bytes : corpus.spans.manifestOffset(ordinal + 1);
      return ChunkRecord.parse(JSON.parse(readAt(fd, start, end - start).toString('utf8')));
    });
  } finally {
    closeSync(fd);
  }
}

/** Streams the whole manifest in order. */
export async function* readManifest(corpus: Corpus): AsyncGenerator<ChunkRecord> {
  for await (const batch of readLineBatches(join(corpus.runDir, RUN_FILES.manifest))) {
    for (const line of batch) yield ChunkRecord.parse(parseLine(line));
  }
}
