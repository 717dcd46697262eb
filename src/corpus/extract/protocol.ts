import { z } from 'zod';
import { SkipReason, SourceKind } from '../../contracts/index.ts';

/** What one document may take: of time, of memory, and how much text it may become. */
export const ExtractorLimits = z.object({
  /** Processor time for a document of no size; a megabyte adds two seconds. On a busy machine it may last longer. */
  timeoutMs: z.number().positive().default(30_000),
  /** Of the whole process; the objects that a parser makes get two thirds of it. */
  memoryBytes: z
    .int()
    .positive()
    .default(3 << 29),
  textBytes: z
    .int()
    .positive()
    .default(128 << 20),
});
export type ExtractorLimits = z.infer<typeof ExtractorLimits>;

/** A line to the extractor. Paths are absolute. */
export const ExtractionRequest = z.object({
  kind: SourceKind,
  file: z.string(),
  textPath: z.string(),
  positionsPath: z.string(),
  /** Processor time, milliseconds. */
  cpuMs: z.number(),
});
export type ExtractionRequest = z.infer<typeof ExtractionRequest>;

/** A line from it, one for each request in order. */
export const ExtractionReply = z.discriminatedUnion('outcome', [
  /** How many bytes of text were written, and how many lines of positions; no file for none. */
  z.object({ outcome: z.literal('extracted'), bytes: z.int(), positions: z.int() }),
  z.object({ outcome: z.literal('skipped'), reason: SkipReason, detail: z.string() }),
]);
export type ExtractionReply = z.infer<typeof ExtractionReply>;
