export { createExtractiveWorker, readChunk } from './extractive.ts';
export { questionStems } from './question.ts';
export { rankQuotes } from './rank.ts';
export { rarityIn } from './rarity.ts';
