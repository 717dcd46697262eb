export { createExtractiveWorker, EXTRACTIVE_VERSION, readChunk } from './extractive.ts';
export { type Quoted, rankQuotes } from './rank.ts';
