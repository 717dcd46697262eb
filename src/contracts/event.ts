import { z } from 'zod';
import { ProcessIdentity } from '../files/index.ts';
import { Failure, FailureClass } from './failure.ts';
import { ActivityState } from './run.ts';
import { Usage } from './usage.ts';

const at = { ts: z.iso.datetime() };

/** How one assignment ended: the journal's truth, and a row of `summary.json`. */
export const OutcomeRecord = z.object({
  id: z.string(),
  status: z.enum(['accepted', 'failed']),
  /** Worker calls made for it, those of earlier drivers included. */
  attempts: z.int().nonnegative(),
  usage: Usage,
  cost_usd: z.number().nonnegative().nullable(),
  duration_ms: z.number().nonnegative(),
  worker: z.string(),
  model: z.string().nullable(),
  cache_hit: z.boolean(),
  failure_class: FailureClass.nullable(),
  errors: z.array(z.string()),
  log_paths: z.array(z.string()),
  /** Fingerprint of everything the answer depends on; a changed one makes the result stale. */
  key: z.string(),
  /** Of an accepted one: its file and what it held, so that a lost or edited file is seen. */
  output_path: z.string().optional(),
  output_sha256: z.string().optional(),
  /** What the flow adds about its own result, such as clamped fields and checked quotes. */
  detail: z.record(z.string(), z.unknown()).optional(),
});
export type OutcomeRecord = z.infer<typeof OutcomeRecord>;

/** One line of `events.jsonl`. */
export const JournalEvent = z.discriminatedUnion('type', [
  z.object({ ...at, type: z.literal('driver_started'), generation: z.int(), driver: ProcessIdentity }),
  z.object({ ...at, type: z.literal('activity_started'), total: z.int(), note: z.string().optional() }),
  z.object({
    ...at,
    type: z.literal('attempt_started'),
    id: z.string(),
    attempt: z.int(),
    worker: z.string(),
    /** The worker's process group, when it has one of its own. */
    process: ProcessIdentity.optional(),
  }),
  z.object({
    ...at,
    type: z.literal('attempt_failed'),
    id: z.string(),
    attempt: z.int(),
    failure: Failure,
    usage: Usage,
    cost_usd: z.number().nullable(),
    duration_ms: z.number(),
    /** Until the next try; absent when there is none. */
    retry_in_ms: z.number().optional(),
  }),
  z.object({ ...at, type: z.literal('outcome'), outcome: OutcomeRecord }),
  z.object({ ...at, type: z.literal('concurrency'), from: z.int(), to: z.int(), reason: z.string() }),
  z.object({ ...at, type: z.literal('note'), message: z.string() }),
  z.object({
    ...at,
    type: z.literal('activity_finished'),
    state: ActivityState,
    reason: z.string().optional(),
    failure: Failure.optional(),
  }),
]);
export type JournalEvent = z.infer<typeof JournalEvent>;
