import { z } from 'zod';
import { ASK_DEFAULTS, RunId } from '../contracts/index.ts';
import { RunReport } from '../resources/index.ts';
import { workInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** A question over documents, end to end. */
export const ask = defineTool({
  name: 'rlm_ask',
  title: 'Ask a question over documents',
  description:
    'Answers a question over documents too large for one context (files, directories, globs; gigabytes), with citations that were each checked against the bytes of the source, and says what was not read. Returns {run_id, state, next} at once; rlm_wait until it is completed, then read the resource rlm://runs/{run_id}/answer.',
  input: z.object({
    question: z.string().min(1).max(8000).describe('The question, 1 to 8000 characters'),
    input: z.array(z.string()).min(1).describe('Files, directories and globs to look in'),
    run_id: RunId.optional().describe('Id of the new run: 3 to 64 of a-z 0-9 . _ -; made up when absent'),
    top_k: z
      .int()
      .positive()
      .max(500)
      .optional()
      .describe(`Chunks read in each pass; default ${ASK_DEFAULTS.topK}, at most 500`),
    chunk_tokens: z
      .int()
      .min(100)
      .max(50_000)
      .optional()
      .describe(`Size of a chunk, tokens; default ${ASK_DEFAULTS.chunkTokens}`),
    pack_tokens: z
      .int()
      .min(100)
      .max(100_000)
      .optional()
      .describe(
        `Short chunks of one document go into one job up to so many tokens, and documents that are not more in all are one job; default ${ASK_DEFAULTS.packTokens}`,
      ),
    follow_ups: z
      .int()
      .nonnegative()
      .max(ASK_DEFAULTS.followUps)
      .optional()
      .describe(
        `Further passes over the next best chunks for what stays open; default and most ${ASK_DEFAULTS.followUps}`,
      ),
    expand: z
      .boolean()
      .default(true)
      .describe(
        'Let the model name other words for the question before it is searched: one call; default true',
      ),
    dry_run: z
      .boolean()
      .default(false)
      .describe(
        'Only say how many jobs and tokens it would take, and the price where known: rlm_wait then says it, rlm://runs/{run_id}/preview all of it; default false',
      ),
    sample: z
      .int()
      .nonnegative()
      .max(50)
      .default(0)
      .describe(
        'With dry_run: run so many of the jobs and report p50 and p95 of tokens, time and cost; default 0',
      ),
    ...workInput,
  }),
  output: RunReport,
  // It calls models, which are outside of this machine; it writes only inside its run directory.
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  startsWork: true,
  command: {
    name: 'ask',
    positional: ['question'],
    examples: [
      'ask "How do I extract images?" --input docs README.md',
      'ask "What changed in the API?" --input "src/**/*.ts" --dry-run --sample 5',
      'ask "Who signed?" --input contracts --worker claude --max-cost-usd 2',
    ],
  },
});
