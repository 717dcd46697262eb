import { z } from 'zod';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** `c-000001`…: the number is the chunk's place in the manifest, from 1. */
export const CHUNK_ID_PATTERN = /^c-(\d{6,})$/;

/** One line of `chunks/manifest.jsonl` (CONTRACTS.md B). */
export const ChunkRecord = z.strictObject({
  chunk_id: z.string().regex(CHUNK_ID_PATTERN),
  /** The document, as it is cited: relative to the corpus's base when it lies in it, else absolute. */
  source: z.string().min(1),
  /** Of the document itself, also where the offsets refer to text extracted from it. */
  source_sha256: Sha256,
  /** Bytes of the text (the document, or its extracted text), end exclusive. */
  byte_start: z.int().nonnegative(),
  byte_end: z.int().nonnegative(),
  /** Lines of the same text, from 1, end inclusive. */
  line_start: z.int().positive(),
  line_end: z.int().positive(),
  /** Of the chunk's bytes. */
  sha256: Sha256,
  /** Estimated. */
  tokens: z.int().nonnegative(),
});
export type ChunkRecord = z.infer<typeof ChunkRecord>;
