import { z } from 'zod';
import { ProcessIdentity } from '../files/index.ts';
import { oneLine } from '../text/index.ts';
import {
  ActivityState,
  addUsage,
  Failure,
  FailureClass,
  type FailureGroup,
  NO_USAGE,
  Outcome,
  type Progress,
  Usage,
} from './run.ts';

const at = { ts: z.iso.datetime() };

/** How one assignment ended: the journal's truth, and a row of `summary.json`. */
export const ResultRecord = z.object({
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
  /** How inputs and output looked from outside: while they do, they need not be read to be found unchanged. */
  input_mark: z.string().optional(),
  output_mark: z.string().optional(),
  /** What the flow adds about its own result, such as clamped fields and checked quotes. */
  detail: z.record(z.string(), z.unknown()).optional(),
});
export type ResultRecord = z.infer<typeof ResultRecord>;

/** One line of `events.jsonl`. */
export const JournalEvent = z.discriminatedUnion('type', [
  /** A driver took the run up. What ran under the one before is running no more. */
  z.object({ ...at, type: z.literal('driver_started'), generation: z.int(), driver: ProcessIdentity }),
  /**
   * More work: `added` assignments, of which `carried` were accepted under earlier drivers and stand unless
   * `stale` says otherwise.
   */
  z.object({
    ...at,
    type: z.literal('assignments'),
    added: z.int(),
    carried: z.int(),
    /** Of `added`: what failed under earlier drivers, and is not tried again. */
    failed: z.int().optional(),
    concurrency: z.int(),
    worker: z.string(),
    why: z.string(),
  }),
  z.object({ ...at, type: z.literal('stale'), id: z.string(), why: z.string() }),
  z.object({
    ...at,
    type: z.literal('attempt_started'),
    id: z.string(),
    attempt: z.int(),
    worker: z.string(),
  }),
  /** The attempt's own process; its pid is that of its process group. */
  z.object({ ...at, type: z.literal('process'), id: z.string(), attempt: z.int(), process: ProcessIdentity }),
  z.object({
    ...at,
    type: z.literal('attempt_ended'),
    id: z.string(),
    attempt: z.int(),
    /** Absent when the answer was accepted. */
    failure: Failure.optional(),
    usage: Usage,
    cost_usd: z.number().nullable(),
    duration_ms: z.number(),
    /** Of the attempt's own process, when it had one that ended by itself. */
    exit_code: z.int().optional(),
    /** What happens next to a failed one: `retry` in `retry_in_ms`, `split` in two, or nothing. */
    next: z.enum(['retry', 'split', 'none']).optional(),
    retry_in_ms: z.number().optional(),
  }),
  z.object({ ...at, type: z.literal('result'), result: ResultRecord }),
  /** An iteration of a refine loop is over; `passed` is null without a validator. */
  z.object({
    ...at,
    type: z.literal('iteration'),
    iteration: z.int(),
    candidate: z.int(),
    passed: z.boolean().nullable(),
    files_changed: z.int(),
    summary: z.string(),
  }),
  z.object({ ...at, type: z.literal('concurrency'), from: z.int(), to: z.int(), reason: z.string() }),
  z.object({ ...at, type: z.literal('note'), message: z.string() }),
  z.object({
    ...at,
    type: z.literal('finished'),
    state: ActivityState,
    outcome: Outcome.optional(),
    reason: z.string().optional(),
    failure: Failure.optional(),
    /** How a refine loop ended. */
    ended: z.string().optional(),
  }),
]);
export type JournalEvent = z.infer<typeof JournalEvent>;

/**
 * Whether a parsed line of `events.jsonl` is an event. The journal has one writer, which writes what its types
 * say, and a resume reads 40,000 lines: so a line's tag is looked at, and the parts that are read through, which
 * takes a twentieth of a parse by `JournalEvent`. A line of a newer version may be of a type that we do not know.
 */
export function isJournalEvent(value: unknown): value is JournalEvent {
  if (!isRecord(value) || typeof value.ts !== 'string' || typeof value.type !== 'string') return false;
  switch (value.type) {
    case 'attempt_started':
    case 'stale':
      return typeof value.id === 'string';
    case 'process':
      return typeof value.id === 'string' && isRecord(value.process);
    case 'attempt_ended':
      return typeof value.id === 'string' && isRecord(value.usage);
    case 'result': {
      const { result } = value;
      return (
        isRecord(result) &&
        typeof result.id === 'string' &&
        isRecord(result.usage) &&
        Array.isArray(result.errors)
      );
    }
    default:
      return OTHER_TYPES.has(value.type);
  }
}

const OTHER_TYPES: ReadonlySet<string> = new Set([
  'driver_started',
  'assignments',
  'iteration',
  'concurrency',
  'note',
  'finished',
] satisfies JournalEvent['type'][]);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export function emptyProgress(): Progress {
  return {
    total: 0,
    accepted: 0,
    carried: 0,
    failed: 0,
    failures: [],
    running: 0,
    cache_hits: 0,
    attempts: 0,
    usage: NO_USAGE,
    cost_usd: null,
    concurrency: 0,
  };
}

/** A new list, for copies of the progress share the old one. */
function addFailure(groups: readonly FailureGroup[], result: ResultRecord): FailureGroup[] {
  const failureClass = result.failure_class ?? 'crashed';
  const known = groups.find((group) => group.class === failureClass);
  if (known !== undefined) {
    return groups.map((group) => (group === known ? { ...group, count: group.count + 1 } : group));
  }
  const error = oneLine(result.errors.at(-1) ?? '', 160);
  return [...groups, { class: failureClass, count: 1, first_job: result.id, error }];
}

/**
 * Counts one more event. The driver counts as it writes, and a reader counts on from the last heartbeat, so both
 * say the same.
 */
export function countEvent(progress: Progress, event: JournalEvent): void {
  switch (event.type) {
    case 'driver_started':
      progress.running = 0;
      progress.stale = progress.total > 0;
      break;
    case 'assignments':
      if (progress.stale)
        Object.assign(progress, { total: 0, accepted: 0, carried: 0, failed: 0, failures: [] });
      progress.stale = false;
      progress.total += event.added;
      progress.accepted += event.carried;
      progress.failed += event.failed ?? 0;
      progress.carried += event.carried + (event.failed ?? 0);
      progress.concurrency = event.concurrency;
      break;
    case 'stale':
      progress.accepted -= 1;
      progress.carried -= 1;
      break;
    case 'attempt_started':
      progress.running += 1;
      progress.attempts += 1;
      break;
    case 'attempt_ended':
      progress.running = Math.max(0, progress.running - 1);
      progress.usage = addUsage(progress.usage, event.usage);
      if (event.cost_usd !== null) progress.cost_usd = (progress.cost_usd ?? 0) + event.cost_usd;
      break;
    case 'result':
      if (event.result.status === 'failed') {
        progress.failed += 1;
        progress.failures = addFailure(progress.failures, event.result);
      } else progress.accepted += 1;
      if (event.result.cache_hit) progress.cache_hits += 1;
      break;
    case 'concurrency':
      progress.concurrency = event.to;
      break;
    case 'finished':
      progress.running = 0;
      break;
  }
}
