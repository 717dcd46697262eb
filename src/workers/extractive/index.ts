export { createExtractiveWorker, readChunk } from './extractive.ts';
export { rankQuotes } from './rank.ts';
