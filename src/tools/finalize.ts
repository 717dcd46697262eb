import { join } from 'node:path';
import { z } from 'zod';
import { FinalAnswer, RunId } from '../contracts/index.ts';
import { runIdInput, runUri } from './report.ts';
import { defineTool } from './tool.ts';

/** The gate before a final result is written. */
export const finalize = defineTool({
  name: 'rlm_finalize',
  title: 'Finalize an answer',
  description:
    'Passes your answer through the gate and writes out/answer.json: every source must be a verified span of reduce/evidence.json (path:first_line-last_line) whose bytes are still there, [n] in the content is the n-th citation, and what was not found must stand in gaps. Refuses with every problem named.',
  input: z.object({
    run_id: runIdInput,
    answer: FinalAnswer.describe(
      'content 1 to 20000 characters with [n] marks; confidence 0 to 1; citations [{claim_id, sources: ["path:1-3"]}]; gaps; artifacts',
    ),
  }),
  output: z.object({
    run_id: RunId,
    path: z.string(),
    uri: z.string(),
    citations: z.int(),
    gaps: z.int(),
    moved_to_gaps: z.int().describe('Sentences that claimed an absence although not everything was read'),
    next: z.string(),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: { positional: ['run_id'] },
  async run(input, context) {
    const [{ finalizeAnswer, readReduced }, { openCorpus }, { RUN_FILES }] = await Promise.all([
      import('../ask/index.ts'),
      import('../corpus/index.ts'),
      import('../runs/index.ts'),
    ]);
    const run = context.openRun(input.run_id);
    const { answer, moved } = finalizeAnswer(await openCorpus(run.dir), input.answer, readReduced(run.dir));
    return {
      run_id: run.id,
      path: join(run.dir, RUN_FILES.answer),
      uri: `${runUri(run.id)}/answer`,
      citations: answer.citations.length,
      gaps: answer.gaps.length,
      moved_to_gaps: moved.length,
      next: `The answer is written; read it at ${runUri(run.id)}/answer.`,
    };
  },
});
