import { z } from 'zod';
import { FailureClass } from './failure.ts';
import { ActivityState, SCHEMA_VERSION } from './run.ts';
import { Usage } from './usage.ts';

/** One row of `summary.json`: a job and how it ended (CONTRACTS.md A, fix 12). */
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
  /** Quotes that stand in the chunk, and quotes that do not. */
  quotes_verified: z.int().nonnegative(),
  quotes_missing: z.int().nonnegative(),
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
