import { z } from 'zod';
import { RunId } from './run.ts';
import { WorkOptions } from './work.ts';

/** A required string: trimmed, not blank. */
const text = z.string().trim().min(1);

/** A piece of a document that a job is about. A job packs several when they are short. */
export const JobSpan = z.object({
  /** Id in the manifest. */
  chunk_id: text.max(128),
  /** File that holds the text; relative like `chunk_path`. Not trimmed: a name may end in a blank. */
  path: z.string().min(1),
  /** The document as it is cited, and the piece's first line in it: every `loc` is in its lines. */
  source: z.string().min(1),
  line_start: z.int().positive(),
  /** Bytes of the file, end exclusive. */
  byte_start: z.int().nonnegative(),
  byte_end: z.int().nonnegative(),
});
export type JobSpan = z.infer<typeof JobSpan>;

/** One line of `jobs.jsonl`; unknown fields are ignored. */
export const JobRecord = z.object({
  job_id: text,
  chunk_id: text.max(128),
  /** Relative to the working directory of whoever started the batch. */
  chunk_path: text,
  question: text,
  /** Relative to the run directory. */
  output_path: text,
  /** Relative to the working directory of whoever started the batch. Without it, the standard answer's schema. */
  schema_path: text.optional(),
  sandbox: z.literal('read-only'),
  timeout_sec: z.int().positive().optional(),
  /** Ours: the pieces of documents that are the chunk, when it is not the whole of `chunk_path`. */
  spans: z.array(JobSpan).min(1).max(64).optional(),
});
export type JobRecord = z.infer<typeof JobRecord>;

/** What the caller of a batch may say. */
export const BatchOptions = z.object({
  jobs: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Path of the JSONL file; each line {job_id, chunk_id, chunk_path, question, output_path, sandbox: "read-only", schema_path?, timeout_sec?}. Absent: the jobs that rlm_build_jobs made in run_id',
    ),
  run_id: RunId.optional().describe(
    'Id of the new run, made up when absent; without jobs, the run that has them',
  ),
  run_dir: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Another directory for the run than .rlm/runs/<run_id>; one that holds a run already is gone on with',
    ),
  ...WorkOptions.shape,
});
export type BatchOptions = z.infer<typeof BatchOptions>;
