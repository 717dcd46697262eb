import { join } from 'node:path';
import { z } from 'zod';
import { ASK_DEFAULTS, RunId } from '../contracts/index.ts';
import { offerIndex } from './indexing.ts';
import { cut } from './page.ts';
import { runIdInput } from './report.ts';
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
      .int()
      .positive()
      .max(500)
      .default(ASK_DEFAULTS.topK)
      .describe(
        `Without chunk_ids: chunks in all, shared between the questions; default ${ASK_DEFAULTS.topK}`,
      ),
    pack_tokens: z
      .int()
      .min(100)
      .max(100_000)
      .default(ASK_DEFAULTS.packTokens)
      .describe(
        `Size up to which short chunks are packed into one job, tokens; default ${ASK_DEFAULTS.packTokens}`,
      ),
    expanded_terms: z
      .array(z.string().min(1).max(100))
      .max(50)
      .default([])
      .describe('Words to search for besides those of the questions; default none'),
  }),
  output: z.object({
    run_id: RunId,
    jobs: z.int(),
    chunks: z.int(),
    tokens: z.int().describe('Of the chunks; each job has about 700 more around them'),
    jobs_path: z.string(),
    chosen_by: z.enum(['caller', 'scan', 'index']),
    chosen_reason: z.string().describe('Why that way'),
    next: z.string(),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: {
    positional: ['run_id'],
    examples: ['build-jobs my-documents --questions "Who signed?" "When?" --top-k 12'],
  },
  async run(input, context) {
    const [{ buildJobs: build, chooseChunks }, { openCorpus }, { requireNoDriver, RUN_FILES }] =
      await Promise.all([
        import('../ask/index.ts'),
        import('../corpus/index.ts'),
        import('../runs/index.ts'),
      ]);
    const run = context.openRun(input.run_id);
    requireNoDriver(run.dir);
    const corpus = await openCorpus(run.dir);
    const { questions, chunk_ids: chunkIds } = input;
    const chosen =
      chunkIds === undefined
        ? await chooseChunks(corpus, questions, {
            root: context.root,
            topK: input.top_k,
            expansion: { terms: input.expanded_terms, phrasings: [] },
            without: new Set(),
            signal: context.signal,
          })
        : {
            by: 'caller' as const,
            reason: 'the caller named them',
            questions: questions.map((question) => ({ question, chunkIds })),
          };
    const offered = chosen.by === 'scan' ? await offerIndex(context, corpus) : undefined;
    const built = await build(corpus, chosen.questions, {
      file: RUN_FILES.jobs,
      prefix: '',
      packTokens: input.pack_tokens,
    });
    return {
      run_id: run.id,
      ...built,
      jobs_path: join(run.dir, RUN_FILES.jobs),
      chosen_by: chosen.by,
      chosen_reason: cut(offered ?? chosen.reason, 200),
      next:
        built.jobs === 0
          ? 'Nothing in the documents matches: ask in other words, or name chunk_ids.'
          : `Run them: rlm_run_batch {"run_id": "${run.id}"}.`,
    };
  },
});
