export { FUNCTION_WORDS, NEGATIONS } from './critical-words.ts';
export {
  type LocatedSpan,
  type LocateOptions,
  locateQuote,
  type QuoteLocation,
  type QuoteMatch,
  spanOf,
} from './locate-quote.ts';
export { type SourceReader, SourceText } from './source-text.ts';
