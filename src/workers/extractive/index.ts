export { createExtractiveWorker, readChunk } from './extractive.ts';
export { rankQuotes } from './rank.ts';
export { questionStems, rarityIn } from './rarity.ts';
