export { addGaps, citedSpans } from './answer.ts';
export { describeCoverage } from './coverage.ts';
export { extractiveAnswer, MAX_EXTRACTS } from './extractive-answer.ts';
export { type GateResult, gateAnswer, gateError } from './gate.ts';
export { SourceFiles } from './job-material.ts';
export { locateQuote, type QuoteLocation, SourceText } from './quotes/index.ts';
export {
  type Reduced,
  type ReduceJob,
  reduceEvidence,
  withReportedConflicts,
  writeEvidence,
} from './reduce.ts';
export { answerMarkdown, renderAnswer } from './render-answer.ts';
export {
  checkSynthesis,
  composeAnswer,
  groupEvidence,
  mergeInput,
  offeredNumbers,
  SYNTHESIS_INSTRUCTIONS,
  synthesisInput,
} from './synthesis.ts';
