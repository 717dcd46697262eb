export { sourceString } from './citations.ts';
export { type ChunkOutcome, CoverageCounter, describeCoverage, isFullCoverage } from './coverage.ts';
export { extractiveAnswer, MAX_EXTRACTS } from './extractive-answer.ts';
export { type GateContext, type GateProblem, type GateResult, gateAnswer, gateError } from './gate.ts';
export type { ReduceChunk } from './job-material.ts';
export {
  type LocatedSpan,
  type LocateOptions,
  locateQuote,
  type MissingReason,
  type QuoteLocation,
  type QuoteMatch,
} from './locate-quote.ts';
export {
  MAX_EVIDENCE,
  REDUCE_FILES,
  type ReduceInput,
  type ReduceJob,
  reduceEvidence,
  withReportedConflicts,
} from './reduce.ts';
export { renderAnswer } from './render-answer.ts';
export { SourceFiles } from './source-files.ts';
export { type SourceReader, type SourceSpan, SourceText, sha256 } from './source-text.ts';
export { type ComposeInput, checkSynthesis, composeAnswer } from './synthesis.ts';
export {
  groupEvidence,
  mergeInput,
  type NumberedEvidence,
  offeredNumbers,
  SYNTHESIS_INSTRUCTIONS,
  synthesisInput,
} from './synthesis-prompt.ts';
