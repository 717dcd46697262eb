import { join } from 'node:path';
import { z } from 'zod';
import { FinalAnswer, FinalInput, RunId } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import type { RunHandle } from '../runs/index.ts';
import { checkFields, fileInput, readInputFile } from './input-file.ts';
import { takeOverInput, takeOverOf } from './plan-run.ts';
import { runIdInput, runUri } from './report.ts';
import { defineTool, type ToolContext } from './tool.ts';

const Output = z.object({
  run_id: RunId,
  path: z.string(),
  uri: z.string(),
  citations: z.int().optional(),
  gaps: z.int().optional(),
  moved_to_gaps: z
    .int()
    .optional()
    .describe('Sentences that claimed an absence although not everything was read'),
  conclusions: z.int().optional(),
  evidence_paths: z.int().optional(),
  verified: z.boolean().optional().describe('False: waived, with the reason in final.json'),
  unfinished_tasks: z.int().optional(),
  deferred_opportunities: z.int().optional(),
  missing_contract_parts: z.array(z.string()).optional(),
  rehydrated_from: z.array(z.string()).optional().describe('State files read for it'),
  next: z.string(),
});

/** The gate before a final result is written. */
export const finalize = defineTool({
  name: 'rlm_finalize',
  title: 'Finalize an answer or a plan',
  description:
    'Passes a final result through the gate. A question: answer → out/answer.json; every source must be a verified span of reduce/evidence.json (path:first_line-last_line) whose bytes are still there, [n] is the n-th citation, what was not found stands in gaps. A map-reduce plan: final → final.json; refused without a completed verify stage unless waived, or when evidence paths do not exist. Names every problem.',
  input: z.object({
    run_id: runIdInput,
    answer: FinalAnswer.optional().describe(
      'For a question: content 1 to 20000 characters with [n] marks; confidence 0 to 1; citations [{claim_id, sources: ["path:1-3"]}]; gaps; artifacts',
    ),
    final: FinalInput.optional().describe('For a plan: conclusions and the decision'),
    file: fileInput('the answer or the final'),
    take_over: takeOverInput,
  }),
  output: Output,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: { positional: ['run_id'] },
  async run(input, context) {
    const run = context.openRun(input.run_id);
    const given = readInputFile(input.file, context);
    return run.record.kind === 'plan'
      ? finalPlan(run, { ...given, ...input.final }, takeOverOf(input.take_over), context, input)
      : finalAnswer(run, { ...given, ...input.answer }, input);
  },
});

async function finalAnswer(
  run: RunHandle,
  given: Record<string, unknown>,
  input: { final?: unknown },
): Promise<z.infer<typeof Output>> {
  if (input.final !== undefined) throw wrongKind(run, 'final', 'answer');
  const [{ finalizeAnswer, readReduced }, { openCorpus }, { RUN_FILES }] = await Promise.all([
    import('../ask/index.ts'),
    import('../corpus/index.ts'),
    import('../runs/index.ts'),
  ]);
  const wanted = checkFields(FinalAnswer, given);
  const { answer, moved } = finalizeAnswer(await openCorpus(run.dir), wanted, readReduced(run.dir));
  return {
    run_id: run.id,
    path: join(run.dir, RUN_FILES.answer),
    uri: `${runUri(run.id)}/answer`,
    citations: answer.citations.length,
    gaps: answer.gaps.length,
    moved_to_gaps: moved.length,
    next: `The answer is written; read it at ${runUri(run.id)}/answer.`,
  };
}

async function finalPlan(
  run: RunHandle,
  given: Record<string, unknown>,
  takeOver: 'always' | 'if-dead',
  context: ToolContext,
  input: { answer?: unknown },
): Promise<z.infer<typeof Output>> {
  if (input.answer !== undefined) throw wrongKind(run, 'answer', 'final');
  const { finalizePlan, PLAN_FILES } = await import('../mapreduce/index.ts');
  const final = await finalizePlan(context.root, run, checkFields(FinalInput, given), { takeOver });
  return {
    run_id: run.id,
    path: join(run.dir, PLAN_FILES.final),
    uri: `${runUri(run.id)}/final`,
    conclusions: final.conclusions.length,
    evidence_paths: final.evidence_paths.length,
    verified: final.verify.completed,
    unfinished_tasks: final.unfinished_tasks.length,
    deferred_opportunities: final.deferred_opportunities.length,
    missing_contract_parts: final.missing_contract_parts,
    rehydrated_from: final.rehydrated_from.map(({ path }) => path),
    next: `Tell the user the conclusions, the deferred opportunities ("none identified" when there are none) and the state files read; then rlm_archive {"run_id": "${run.id}"}.`,
  };
}

function wrongKind(run: RunHandle, given: string, wanted: string): RlmError {
  return new RlmError('usage', `${given}: run '${run.id}' is a ${run.record.kind} run; give ${wanted}`);
}
