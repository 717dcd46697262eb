import { z } from 'zod';
import { ActivityState, FailureClass, RunId, SCHEMA_VERSION, Usage } from './run.ts';
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
    'Id of the new run, generated when absent; without jobs, the run that has them',
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

/** Limits of a worker's answer, as the Python batch runner has them: its consumers rely on them. */
export const ANSWER_LIMITS = {
  chunkId: 128,
  summary: 1200,
  quote: 320,
  note: 400,
  loc: 512,
  evidence: 50,
  list: 30,
  item: 240,
} as const;

/** A quote and where it stands, `path:first_line-last_line`. Not described in the schema: the instructions say it, and each call pays. */
const EvidenceItem = z.strictObject({
  loc: z
    .string()
    .max(ANSWER_LIMITS.loc)
    .regex(/^.+:[0-9]+-[0-9]+$/),
  quote: z.string().min(1).max(ANSWER_LIMITS.quote),
  note: z.string().min(1).max(ANSWER_LIMITS.note),
});

/** What a worker answers about one chunk. */
export const WorkerAnswer = z.strictObject({
  chunk_id: z.string().min(1).max(ANSWER_LIMITS.chunkId),
  relevant: z.boolean(),
  summary: z.string().min(1).max(ANSWER_LIMITS.summary),
  confidence: z.number().min(0).max(1),
  evidence: z.array(EvidenceItem).max(ANSWER_LIMITS.evidence),
  gaps: z.array(z.string().min(1).max(ANSWER_LIMITS.item)).max(ANSWER_LIMITS.list),
  errors: z.array(z.string().min(1).max(ANSWER_LIMITS.item)).max(ANSWER_LIMITS.list),
});
export type WorkerAnswer = z.infer<typeof WorkerAnswer>;

export const PASSAGE_LIMITS = { passages: 24, context: 300 } as const;

/** What the extractive reader answers in an ask instead of quotes: spans of the chunks it was given. */
export const PassageAnswer = z.strictObject({
  chunk_id: z.string().min(1).max(ANSWER_LIMITS.chunkId),
  relevant: z.boolean(),
  passages: z
    .array(
      z.strictObject({
        /** Which of the job's chunks that could be read, from 0. */
        part: z.int().nonnegative(),
        /** Offsets in the text of that chunk in UTF-16 units, end exclusive. */
        start: z.int().nonnegative(),
        end: z.int().positive(),
        /** The headings it is under. */
        context: z.string().max(PASSAGE_LIMITS.context),
        /** How much of the question it holds, weighed by the rarity of the words; comparable between chunks. */
        share: z.number().min(0).max(1),
      }),
    )
    .max(PASSAGE_LIMITS.passages),
});
export type PassageAnswer = z.infer<typeof PassageAnswer>;

/** One row of `summary.json`: a job and how it ended. The first seven fields are those of the Python batch runner. */
export const SummaryRow = z.object({
  job_id: z.string(),
  status: z.enum(['success', 'failed']),
  attempts: z.int().nonnegative(),
  output_path: z.string(),
  log_paths: z.array(z.string()),
  usage: Usage,
  errors: z.array(z.string()),
  duration_ms: z.number().nonnegative(),
  worker: z.string(),
  model: z.string().nullable(),
  failure_class: FailureClass.nullable(),
  cache_hit: z.boolean(),
  cost_usd: z.number().nonnegative().nullable(),
  /** Fields that were cut to their limit or filled in, such as `summary` or `evidence[2].note`. */
  normalised: z.array(z.string()),
  /** Quotes that are in the chunk, that are not, and that were not compared with it: it is too large. */
  quotes_verified: z.int().nonnegative(),
  quotes_missing: z.int().nonnegative(),
  quotes_unchecked: z.int().nonnegative(),
});
export type SummaryRow = z.infer<typeof SummaryRow>;

/** `summary.json`: the whole batch, results sorted by `job_id`. */
export const BatchSummary = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  run_dir: z.string(),
  state: ActivityState,
  reason: z.string().nullable(),
  jobs_total: z.int().nonnegative(),
  jobs_succeeded: z.int().nonnegative(),
  jobs_failed: z.int().nonnegative(),
  cache_hits: z.int().nonnegative(),
  duration_sec: z.number().nonnegative(),
  usage_totals: Usage,
  cost_usd: z.number().nonnegative().nullable(),
  results: z.array(SummaryRow),
});
export type BatchSummary = z.infer<typeof BatchSummary>;
