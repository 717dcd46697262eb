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
export { type Passage, passagesOf } from './passages.ts';
export { describeDocument, readSpan } from './read.ts';
export { chunkFrequencies } from './search/scan.ts';
export { search } from './search/search.ts';
export { configuredEmbeddings, type EmbeddingEndpoint } from './search/vector.ts';
export { beginningOf, isStopWord, isUnspaced, wordsOf } from './search/words.ts';
