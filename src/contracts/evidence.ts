import { z } from 'zod';
import { SCHEMA_VERSION } from './run.ts';

/** Where text stands in a source: bytes from 0 with the end exclusive, lines from 1 inclusive. */
const span = {
  source: z.string().min(1),
  byte_start: z.int().nonnegative(),
  byte_end: z.int().nonnegative(),
  line_start: z.int().positive(),
  line_end: z.int().positive(),
};

/** A job whose answer quoted this span. */
export const EvidenceOrigin = z.strictObject({
  job_id: z.string(),
  chunk_id: z.string(),
  question: z.string(),
});
export type EvidenceOrigin = z.infer<typeof EvidenceOrigin>;

/** A quote that was found in its source, in the source's own words. */
export const VerifiedEvidence = z.strictObject({
  evidence_id: z.string().regex(/^e-[0-9]{4,}$/),
  ...span,
  /** SHA-256 of exactly these bytes of the source, hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  quote: z.string().min(1),
  /** How the best of its quotes was found: word for word, up to typography and case, or with few letters edited. */
  match: z.enum(['exact', 'normalised', 'fuzzy']),
  edits: z.int().nonnegative(),
  /** What workers say it shows. */
  notes: z.array(z.string()),
  origins: z.array(EvidenceOrigin),
  /** Jobs beyond those listed in `origins`. */
  more_origins: z.int().nonnegative(),
  confidence: z.number().min(0).max(1),
});
export type VerifiedEvidence = z.infer<typeof VerifiedEvidence>;

/** Statements that seem to contradict each other; all are kept, all are cited. */
export const Conflict = z.strictObject({
  /** `number` and `negation` are found by comparing texts, `reported` by a model. */
  kind: z.enum(['number', 'negation', 'reported']),
  evidence_ids: z.array(z.string()).min(2),
  description: z.string().min(1).max(500),
});
export type Conflict = z.infer<typeof Conflict>;

/** What could not be answered or used, and how often it was said. */
export const EvidenceGap = z.strictObject({
  kind: z.enum(['rejected_quote', 'worker_gap', 'worker_error', 'failed_job']),
  text: z.string().min(1).max(500),
  /** For a refused quote: what a worker wrote. Kept apart, because it must not reach an answer. */
  refused: z.string().nullable(),
  count: z.int().positive(),
  job_ids: z.array(z.string()),
});
export type EvidenceGap = z.infer<typeof EvidenceGap>;

/** Why a quote was refused. `source_changed`: the source no longer has the bytes that were chunked. */
export const RejectionReason = z.enum([
  'empty',
  'not_found',
  'number_changed',
  'negation_changed',
  'identifier_changed',
  'word_changed',
  'source_changed',
  'source_unreadable',
]);
export type RejectionReason = z.infer<typeof RejectionReason>;

export const EvidenceCounts = z.strictObject({
  jobs: z.int().nonnegative(),
  jobs_accepted: z.int().nonnegative(),
  jobs_failed: z.int().nonnegative(),
  jobs_never_sent: z.int().nonnegative(),
  /** Answers that said that nothing in their chunk bears on the question. */
  answers_irrelevant: z.int().nonnegative(),
  /** Quotes in relevant answers: the sum of the three kinds of match and of the rejected. */
  quotes: z.int().nonnegative(),
  quotes_exact: z.int().nonnegative(),
  quotes_normalised: z.int().nonnegative(),
  quotes_fuzzy: z.int().nonnegative(),
  quotes_rejected: z.int().nonnegative(),
  rejected_by_reason: z.partialRecord(RejectionReason, z.int().positive()),
  /** Quotes that fell together with, or were joined to, a span that was there already. */
  quotes_merged: z.int().nonnegative(),
  items: z.int().nonnegative(),
  /** Spans given up because there were more than the limit; those of the lowest confidence. */
  items_dropped: z.int().nonnegative(),
  /** Distinct gaps beyond the limit. */
  gaps_dropped: z.int().nonnegative(),
  conflicts_dropped: z.int().nonnegative(),
});
export type EvidenceCounts = z.infer<typeof EvidenceCounts>;

/** `reduce/evidence.json`: everything that may be cited, in the order of the documents. */
export const EvidenceFile = z.strictObject({
  schema_version: z.literal(SCHEMA_VERSION),
  counts: EvidenceCounts,
  items: z.array(VerifiedEvidence),
  conflicts: z.array(Conflict),
  gaps: z.array(EvidenceGap),
});
export type EvidenceFile = z.infer<typeof EvidenceFile>;

/** Bytes of documents by what became of them; the five kinds add up to `bytes`, overlaps counted once. */
export const CoverageBytes = z.strictObject({
  bytes: z.int().nonnegative(),
  /** In a chunk that some job answered. */
  read: z.int().nonnegative(),
  /** Only in chunks whose jobs all failed. */
  failed: z.int().nonnegative(),
  /** Only in chunks whose jobs were never started. */
  never_sent: z.int().nonnegative(),
  /** In chunks that were not chosen for any job. */
  prefiltered_out: z.int().nonnegative(),
  /** In no chunk: the document could not be read, or was not meant to be. */
  skipped: z.int().nonnegative(),
  /** Share of `bytes` that was read, per cent, rounded down to a tenth: 100 only when it is all. */
  percent_read: z.number().min(0).max(100),
});
export type CoverageBytes = z.infer<typeof CoverageBytes>;

/** `reduce/coverage.json`: which bytes the answer rests on. */
export const CoverageFile = z.strictObject({
  schema_version: z.literal(SCHEMA_VERSION),
  total: CoverageBytes.extend({
    sources: z.int().nonnegative(),
    sources_read_fully: z.int().nonnegative(),
    sources_skipped: z.int().nonnegative(),
  }),
  sources: z.array(CoverageBytes.extend({ source: z.string(), reason: z.string().nullable() })),
});
export type CoverageFile = z.infer<typeof CoverageFile>;
