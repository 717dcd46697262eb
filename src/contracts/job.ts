import { z } from 'zod';

/** A required string: trimmed, not blank. */
const text = z.string().trim().min(1);

/** One line of `jobs.jsonl` (CONTRACTS.md A). Unknown fields are ignored. */
export const JobRecord = z.object({
  job_id: text,
  chunk_id: text.max(128),
  /** Relative to the working directory of whoever started the batch. */
  chunk_path: text,
  question: text,
  /** Relative to the run directory. */
  output_path: text,
  /** Relative to the working directory of whoever started the batch. */
  schema_path: text,
  sandbox: z.literal('read-only'),
  timeout_sec: z.int().positive().optional(),
  /** Ours: the span of `chunk_path` that is the chunk, when it is not the whole file. Bytes, end exclusive. */
  byte_start: z.int().nonnegative().optional(),
  byte_end: z.int().nonnegative().optional(),
  /** Ours: the original document and the chunk's first line in it, so that every `loc` is in its lines. */
  source: text.optional(),
  line_start: z.int().positive().optional(),
});
export type JobRecord = z.infer<typeof JobRecord>;
