import { join } from 'node:path';
import type { z } from 'zod';
import { finalizeAnswer, readReduced } from '../../ask/index.ts';
import { FinalAnswer, FinalInput, RUN_FILES } from '../../contracts/index.ts';
import { openCorpus } from '../../corpus/index.ts';
import { RlmError } from '../../errors.ts';
import { countVerdicts, finalizePlan } from '../../mapreduce/index.ts';
import { runUri } from '../../resources/index.ts';
import type { RunHandle } from '../../runs/index.ts';
import { truncate } from '../../text/index.ts';
import type { finalize } from '../finalize.ts';
import type { Handler, ToolContext } from '../tool.ts';
import { checkFields, readInputFile, takeOverOf } from './input.ts';

/** Statements without a citation that a result lists; all are in the gaps of the answer. */
const SHOWN_STATEMENTS = 10;

type Output = z.infer<(typeof finalize)['output']>;

export const handleFinalize: Handler<typeof finalize> = async (input, context) => {
  const run = context.openRun(input.run_id);
  const wanted = run.record.kind === 'plan' ? 'final' : 'answer';
  if (input.file === undefined && input.final === undefined && input.answer === undefined) {
    const what = wanted === 'final' ? 'conclusions and termination_decision' : 'content, citations and gaps';
    throw new RlmError('usage', `give ${wanted}: run '${run.id}' is a ${run.record.kind} run`, {
      hint: `${wanted} is an object with ${what}; file names a file with it.`,
    });
  }
  const given = unwrap(readInputFile(input.file, context), wanted);
  return wanted === 'final'
    ? finalPlan(run, { ...given, ...input.final }, takeOverOf(input.take_over), context, input)
    : finalAnswer(run, { ...given, ...input.answer }, input);
};

/** A file may hold the whole argument, `{"final": …}`, or what is in it. */
function unwrap(file: Record<string, unknown>, name: string): Record<string, unknown> {
  const { [name]: inner, ...rest } = file;
  if (Object.keys(rest).length > 0) return file;
  return typeof inner === 'object' && inner !== null ? { ...inner } : file;
}

async function finalAnswer(
  run: RunHandle,
  given: Record<string, unknown>,
  input: { final?: unknown },
): Promise<Output> {
  if (input.final !== undefined) throw wrongKind(run, 'final', 'answer');
  const wanted = checkFields(FinalAnswer, given);
  const { answer, moved, uncited } = finalizeAnswer(await openCorpus(run.dir), wanted, readReduced(run.dir), {
    checkStatements: true,
  });
  return {
    run_id: run.id,
    path: join(run.dir, RUN_FILES.answer),
    uri: `${runUri(run.id)}/answer`,
    citations: answer.citations.length,
    gaps: answer.gaps.length,
    moved_to_gaps: moved.length,
    uncited_total: uncited.length,
    uncited: uncited.slice(0, SHOWN_STATEMENTS).map((statement) => truncate(statement, 200)),
    next: [
      { tool: 'rlm_read', args: { uri: `${runUri(run.id)}/answer` }, why: 'The answer as it was written.' },
    ],
  };
}

async function finalPlan(
  run: RunHandle,
  given: Record<string, unknown>,
  takeOver: 'always' | 'if-dead',
  context: ToolContext,
  input: { answer?: unknown },
): Promise<Output> {
  if (input.answer !== undefined) throw wrongKind(run, 'answer', 'final');
  const final = await finalizePlan(context.root, run, checkFields(FinalInput, given), { takeOver });
  return {
    run_id: run.id,
    path: join(run.dir, RUN_FILES.final),
    uri: `${runUri(run.id)}/final`,
    conclusions: final.conclusions.length,
    evidence_paths: final.evidence_paths.length,
    verified: final.verify.completed,
    verdicts: countVerdicts(final.verify.verdicts),
    unfinished_tasks: final.unfinished_tasks.length,
    deferred_opportunities: final.deferred_opportunities.length,
    missing_contract_parts: final.missing_contract_parts,
    rehydrated_from: final.rehydrated_from.map(({ path }) => path),
    next: [
      {
        tool: 'rlm_archive',
        args: { run_id: run.id },
        why: 'After telling the user the conclusions, the deferred opportunities ("none identified" when there are none) and the state files read.',
      },
    ],
  };
}

function wrongKind(run: RunHandle, given: string, wanted: string): RlmError {
  return new RlmError('usage', `${given}: run '${run.id}' is a ${run.record.kind} run; give ${wanted}`);
}
