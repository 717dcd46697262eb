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
export { checkInputs } from './ingest/discover.ts';
export {
  DEFAULT_OVERLAP_LINES,
  DEFAULT_TARGET_TOKENS,
  type IngestOptions,
  ingest,
} from './ingest/ingest.ts';
export { CORPUS_FILES, embeddingsDirectory, indexDirectory } from './layout.ts';
export { DEFAULT_READ_BYTES, MAX_READ_BYTES, type ReadRequest, readSpan } from './read.ts';
export type { QueryInput } from './search/question.ts';
export { DEFAULT_TOP_K, MAX_TOP_K, type SearchOptions, search } from './search/search.ts';
export type { EmbeddingEndpoint } from './search/vector.ts';
export { buildIndex } from './search/word-index.ts';
export type { Spans } from './spans.ts';
