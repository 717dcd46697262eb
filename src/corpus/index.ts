export {
  type Corpus,
  chunkIdOf,
  chunkRecords,
  openCorpus,
  ordinalOf,
  readManifest,
  sourceAt,
  textFile,
} from './corpus.ts';
export {
  DEFAULT_OVERLAP_LINES,
  DEFAULT_TARGET_TOKENS,
  type IngestOptions,
  ingest,
} from './ingest/ingest.ts';
export { CORPUS_FILES } from './layout.ts';
export { DEFAULT_READ_BYTES, MAX_READ_BYTES, type ReadRequest, readSpan } from './read.ts';
export type { Spans } from './spans.ts';
