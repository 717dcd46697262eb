export { sourceString } from './citations.ts';
export { extractiveAnswer, MAX_EXTRACTS } from './extractive-answer.ts';
export { type GateResult, gateAnswer, gateError } from './gate.ts';
export { REDUCE_FILES } from './layout.ts';
export { locateQuote, type QuoteLocation } from './locate-quote.ts';
export {
  type Reduced,
  type ReduceJob,
  reduceEvidence,
  withReportedConflicts,
  writeEvidence,
} from './reduce.ts';
export { renderAnswer } from './render-answer.ts';
export { SourceFiles } from './source-files.ts';
export { SourceText } from './source-text.ts';
export { checkSynthesis, composeAnswer } from './synthesis.ts';
export {
  groupEvidence,
  mergeInput,
  offeredNumbers,
  SYNTHESIS_INSTRUCTIONS,
  synthesisInput,
} from './synthesis-prompt.ts';
