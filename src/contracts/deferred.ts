import { z } from 'zod';
import { WorkerId } from './plan.ts';
import { RunId, SCHEMA_VERSION } from './run.ts';

/** Longest text of one field, in characters: reports are a worker's words, and untrusted. */
export const DEFERRED_FIELD_CHARS = 500;

/** A good idea that was out of scope, as a worker wrote it down. */
export const DeferredItem = z.object({
  worker_id: WorkerId,
  what: z.string().min(1).max(DEFERRED_FIELD_CHARS),
  why_deferred: z.string().max(DEFERRED_FIELD_CHARS).nullable(),
  how_to_validate: z.string().max(DEFERRED_FIELD_CHARS).nullable(),
  /** The report, relative to the root, and the item's first line in it. */
  path: z.string(),
  line: z.int().positive(),
});
export type DeferredItem = z.infer<typeof DeferredItem>;

/** `deferred.json`. */
export const DeferredFile = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  run_id: RunId,
  generated_at: z.iso.datetime(),
  /** `none identified`, or how many. */
  summary: z.string(),
  reports_scanned: z.int().nonnegative(),
  /** Reports that have such a section, also one that says "none". */
  reports_with_section: z.int().nonnegative(),
  /** Reports that could not be scanned, with the reason. */
  unreadable: z.array(z.object({ path: z.string(), reason: z.string() })),
  items: z.array(DeferredItem),
});
export type DeferredFile = z.infer<typeof DeferredFile>;
