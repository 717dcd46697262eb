import { z } from 'zod';
import { RunId, SCHEMA_VERSION } from './run.ts';
import { WorkOptions } from './work.ts';

/** How documents are cut and questions asked, unless the caller says otherwise. Sizes in tokens. */
export const ASK_DEFAULTS = {
  chunkTokens: 1500,
  /** Chunks read in each pass. */
  topK: 24,
  /** Short chunks of one document go into one job up to this size. */
  packTokens: 6000,
  /** Passes after the first; also the most there may be: enforced, whatever a caller says. */
  followUps: 2,
} as const;

/** Which documents, and how they are cut. */
export const DocumentOptions = z.object({
  input: z.array(z.string()).min(1).describe('Files, directories and globs; .gitignore is honoured'),
  chunk_tokens: z
    .int()
    .min(100)
    .max(50_000)
    .default(ASK_DEFAULTS.chunkTokens)
    .describe(`Tokens of a chunk, 100 to 50000; default ${ASK_DEFAULTS.chunkTokens}`),
});
export type DocumentOptions = z.input<typeof DocumentOptions>;

/** Short chunks of one document share a job. */
export const packTokensOption = z
  .int()
  .min(100)
  .max(100_000)
  .default(ASK_DEFAULTS.packTokens)
  .describe(`Tokens up to which short chunks share a job, 100 to 100000; default ${ASK_DEFAULTS.packTokens}`);

/** What the caller of an ask may say. */
export const AskOptions = z.object({
  question: z.string().min(1).max(8000).describe('The question, 1 to 8000 characters'),
  ...DocumentOptions.shape,
  run_id: RunId.optional().describe('Id of the new run; generated when absent'),
  top_k: z
    .int()
    .positive()
    .max(500)
    .default(ASK_DEFAULTS.topK)
    .describe(`Chunks read in each pass, 1 to 500; default ${ASK_DEFAULTS.topK}`),
  pack_tokens: packTokensOption,
  follow_ups: z
    .int()
    .nonnegative()
    .max(ASK_DEFAULTS.followUps)
    .default(ASK_DEFAULTS.followUps)
    .describe(`Further passes for what stays open; default and most ${ASK_DEFAULTS.followUps}`),
  expand: z
    .boolean()
    .default(true)
    .describe('Let the model name other words to search for: one call; default true'),
  dry_run: z
    .boolean()
    .default(false)
    .describe('Only say how many jobs and tokens it would take, and the price where known; default false'),
  sample: z
    .int()
    .nonnegative()
    .max(50)
    .default(0)
    .describe(
      'With dry_run: run so many jobs, up to 50, and report p50 and p95 of tokens, time and cost; default 0',
    ),
  ...WorkOptions.shape,
});
export type AskOptions = z.input<typeof AskOptions>;

/** What a model adds to a question before it is searched: people rarely use the document's own words. */
export const Expansion = z.strictObject({
  terms: z.array(z.string().min(1).max(80)).max(40).describe('Words and identifiers a document might use'),
  phrasings: z
    .array(z.string().min(1).max(200))
    .max(10)
    .describe('Other ways in which a document might say it'),
});
export type Expansion = z.infer<typeof Expansion>;

/** One pass over chunks: the first, or a follow-up for what was left open. */
const AskPass = z.object({
  questions: z.array(z.string()),
  chunks: z.int().nonnegative(),
  jobs: z.int().nonnegative(),
  /** Where the chunks came from: `all` were taken, or the best of a `search`. */
  chosen_by: z.enum(['all', 'search']),
});

/** `ask/state.json`: how an answer came about. Rewritten after each step. */
export const AskState = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  question: z.string(),
  /** `single`: everything fitted one prompt and one job was made; `search`: the best chunks were chosen. */
  route: z.enum(['single', 'search']),
  worker: z.string(),
  expansion: Expansion.nullable(),
  passes: z.array(AskPass),
  /** Who put the answer together: a model from numbered evidence, or the extractive rule. */
  answered_by: z.enum(['synthesis', 'extractive']).nullable(),
  notes: z.array(z.string()),
});
export type AskState = z.infer<typeof AskState>;

const Spread = z.object({ p50: z.number(), p95: z.number() });

/** `ask/preview.json`: what a question would cost, before it is asked. */
export const AskPreview = z.object({
  schema_version: z.literal(SCHEMA_VERSION),
  jobs: z.int().nonnegative(),
  chunks: z.int().nonnegative(),
  /** Prompt tokens of all jobs, estimated. */
  prompt_tokens: z.int().nonnegative(),
  /** Of all jobs at the configured price with answers of 400 tokens; null where no price is known. */
  cost_usd: z.number().nonnegative().nullable(),
  /** Measured on a sample, where one was asked for; each is of one job. */
  sample: z
    .object({
      jobs: z.int().positive(),
      input_tokens: Spread,
      output_tokens: Spread,
      duration_ms: Spread,
      cost_usd: Spread.nullable(),
    })
    .nullable(),
});
export type AskPreview = z.infer<typeof AskPreview>;

/** A range of a source's text: bytes from 0 with the end exclusive, lines from 1 inclusive. */
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
  /**
   * Where a person finds it, and how it is cited: path:first-last (text), path#page=N (PDF), path#cell=N
   * (notebook), path#:~:text=… (HTML), path#heading (DOCX).
   */
  location: z.string().min(1),
  /** Page of a PDF and cell of a notebook, from 1; the nearest heading before it of a DOCX. */
  page: z.int().positive().optional(),
  cell: z.int().positive().optional(),
  heading: z.string().optional(),
  /** Text fragment of an HTML page, and the line of the quote in the HTML file. */
  fragment: z.string().optional(),
  source_line: z.int().positive().optional(),
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
  /** Answers that said that their chunk has nothing relevant. */
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
  /** Which evidence each citation of the answer means: several quotes may be on one page. */
  citations: z.array(z.strictObject({ claim_id: z.string(), evidence_ids: z.array(z.string()) })).optional(),
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

/** Limits of `out/answer.json`. */
export const FINAL_LIMITS = {
  content: 20_000,
  citations: 500,
  claimId: 128,
  sourcesPerCitation: 20,
  source: 512,
  gaps: 200,
  gap: 500,
  artifacts: 100,
  artifact: 512,
} as const;

const Citation = z.strictObject({
  claim_id: z.string().min(1).max(FINAL_LIMITS.claimId),
  sources: z
    .array(z.string().min(1).max(FINAL_LIMITS.source))
    .min(1)
    .max(FINAL_LIMITS.sourcesPerCitation)
    .describe(
      'Verified spans: path:first_line-last_line, path#page=N, path#cell=N, or as their location is in reduce/evidence.json',
    ),
});

/** `out/answer.json`. `[n]` in the content is the n-th citation. */
export const FinalAnswer = z.strictObject({
  content: z
    .string()
    .min(1)
    .max(FINAL_LIMITS.content)
    .describe('The answer; [n] refers to the n-th citation'),
  confidence: z.number().min(0).max(1),
  citations: z.array(Citation).max(FINAL_LIMITS.citations),
  gaps: z
    .array(z.string().min(1).max(FINAL_LIMITS.gap))
    .max(FINAL_LIMITS.gaps)
    .describe('What could not be answered, and why'),
  artifacts: z.array(z.string().min(1).max(FINAL_LIMITS.artifact)).max(FINAL_LIMITS.artifacts),
});
export type FinalAnswer = z.infer<typeof FinalAnswer>;

/** Limits of a synthesis; lengths in characters. */
export const SYNTHESIS_LIMITS = {
  claims: 100,
  claim: 1200,
  conflicts: 50,
  conflict: 400,
  evidence: 20,
  gaps: 50,
  gap: 400,
} as const;

/** What a model answers that got the question and numbered evidence. */
export const SynthesisAnswer = z.strictObject({
  claims: z
    .array(
      z.strictObject({
        text: z.string().min(1).max(SYNTHESIS_LIMITS.claim).describe('One statement, without citation marks'),
        evidence: z
          .array(z.int().positive())
          .min(1)
          .max(SYNTHESIS_LIMITS.evidence)
          .describe('Numbers of the evidence that says so'),
      }),
    )
    .max(SYNTHESIS_LIMITS.claims)
    .describe(
      'The answer, statement by statement, in reading order; empty when the evidence answers nothing',
    ),
  conflicts: z
    .array(
      z.strictObject({
        text: z.string().min(1).max(SYNTHESIS_LIMITS.conflict).describe('What the two sides say'),
        evidence: z
          .array(z.int().positive())
          .min(2)
          .max(SYNTHESIS_LIMITS.evidence)
          .describe('Numbers of the evidence on both sides'),
      }),
    )
    .max(SYNTHESIS_LIMITS.conflicts),
  gaps: z
    .array(z.string().min(1).max(SYNTHESIS_LIMITS.gap))
    .max(SYNTHESIS_LIMITS.gaps)
    .describe('What the evidence leaves unanswered'),
  confidence: z.number().min(0).max(1),
});
export type SynthesisAnswer = z.infer<typeof SynthesisAnswer>;
