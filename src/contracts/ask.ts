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
  run_id: RunId.optional().describe('Id of the new run; made up when absent'),
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
