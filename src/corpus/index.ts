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
export { ingest } from './ingest/ingest.ts';
export { embeddingsDirectory, indexDirectory } from './layout.ts';
export { readSpan } from './read.ts';
export { buildIndex } from './search/build-index.ts';
export { chunkFrequencies } from './search/frequencies.ts';
export { search } from './search/search.ts';
export type { EmbeddingEndpoint } from './search/vector.ts';
export { hasIndex, isWorthAnIndex, scansOf } from './search/word-index.ts';
