export { createExtractiveWorker, EXTRACTIVE_VERSION, readChunk } from './extractive.ts';
