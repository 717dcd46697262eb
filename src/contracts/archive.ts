import { z } from 'zod';
import { RunId, RunKind, SCHEMA_VERSION } from './run.ts';

/** `<run_id>-<timestamp>`, such as `my-run-20261120T140305123Z`. */
export const ARCHIVE_ID_PATTERN = /^[a-z0-9][a-z0-9._-]{2,63}-\d{8}T\d{9}Z(-\d+)?$/;

export const ArchivedFile = z.object({
  /** Relative to `run/`. */
  path: z.string(),
  size_bytes: z.int().nonnegative(),
  sha256: z.string(),
});
export type ArchivedFile = z.infer<typeof ArchivedFile>;

/** `meta.json` of an archive. */
export const ArchiveMeta = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  archive_id: z.string().regex(ARCHIVE_ID_PATTERN),
  run_id: RunId,
  kind: RunKind,
  goal_summary: z.string(),
  start_timestamp: z.iso.datetime(),
  end_timestamp: z.iso.datetime(),
  termination_reason: z.string(),
  retention: z.object({
    ttl_days: z.number().positive(),
    keep_forever: z.boolean(),
    size_bytes: z.int().nonnegative(),
  }),
  /** The machine's own measure of time at `end_timestamp`, which no change of the clock moves; null elsewhere. */
  uptime: z.object({ boot: z.string(), seconds: z.number() }).nullable(),
  /** Files that evidence in the finals points at: they stay in the active run too. */
  evidence_files: z.array(z.string()),
  /** Entries that are neither files nor directories, and were skipped. */
  skipped: z.array(z.string()),
  files: z.array(ArchivedFile),
});
export type ArchiveMeta = z.infer<typeof ArchiveMeta>;

/** `archived_to.json` in the active run. */
export const ArchivedTo = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  archive_id: z.string(),
  /** Relative to the root. */
  path: z.string(),
  archived_at: z.iso.datetime(),
  /** Null until everything the archive holds for it has been removed from the active run. */
  trimmed_at: z.iso.datetime().nullable(),
  kept: z.array(z.string()),
});
export type ArchivedTo = z.infer<typeof ArchivedTo>;

/** A file in `in_use_by/`: the run that depends on the archive. */
export const InUseMarker = z.object({ run_id: RunId, added_at: z.iso.datetime() });
export type InUseMarker = z.infer<typeof InUseMarker>;
