export {
  type LocatedSpan,
  type LocateOptions,
  locateQuote,
  type MissingReason,
  type QuoteLocation,
  type QuoteMatch,
} from './locate-quote.ts';
export { type SourceReader, type SourceSpan, SourceText, sha256 } from './source-text.ts';
