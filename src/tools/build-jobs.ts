import { z } from 'zod';
import { ASK_DEFAULTS, packTokensOption, RunId } from '../contracts/index.ts';
import { NextSteps } from '../resources/index.ts';
import { runIdInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** Questions and chunks to a jobs file. */
export const buildJobs = defineTool({
  name: 'rlm_build_jobs',
  title: 'Build jobs from questions and chunks',
  description:
    'Builds jobs.jsonl from questions and chunks of ingested documents: for each question the chunks you name, or the best ones of a search; short chunks of one document are packed into one job. Then rlm_run_batch with the run_id runs them.',
  input: z.object({
    run_id: runIdInput,
    questions: z
      .array(z.string().min(1).max(8000))
      .min(1)
      .max(20)
      .describe('What to ask each chunk; 1 to 20'),
    chunk_ids: z
      .array(z.string())
      .min(1)
      .max(5000)
      .optional()
      .describe('Chunks to read for every question; default: the best ones for it'),
    top_k: z
      .union([z.int().positive().max(500), z.literal('all')])
      .default(ASK_DEFAULTS.topK)
      .describe(
        `Without chunk_ids: chunks in all, 1 to 500, shared between the questions, or "all"; default ${ASK_DEFAULTS.topK}`,
      ),
    pack_tokens: packTokensOption,
    expanded_terms: z
      .array(z.string().min(1).max(100))
      .max(50)
      .default([])
      .describe('Words to search for besides those of the questions; default none'),
  }),
  example: { run_id: 'my-documents', questions: ['Who signed?', 'When?'] },
  output: z.object({
    run_id: RunId,
    jobs: z.int(),
    chunks: z.int().describe('Counted once for each question'),
    chunks_total: z.int().describe('Of the documents'),
    chunks_not_taken: z.int().describe('Those that no job reads'),
    documents_total: z.int(),
    documents_not_taken: z.int(),
    tokens: z.int().describe('Of the chunks; each job has about 700 more around them'),
    jobs_path: z.string(),
    chosen_by: z.enum(['caller', 'search', 'all']),
    next: NextSteps,
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: {
    positional: ['run_id'],
    examples: [
      'build-jobs my-documents --questions "Who signed?" "When?" --top-k 12',
      'build-jobs my-documents --questions "Which licence does it name?" --top-k all',
    ],
  },
});
