export { createExtractiveWorker } from './extractive.ts';
export { parseQuestion, type Question, weighTerms } from './question.ts';
export { partShares, shareOf, termFinder } from './score.ts';
