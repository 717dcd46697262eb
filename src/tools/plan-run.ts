import { z } from 'zod';
import { RlmError } from '../errors.ts';
import type { RunHandle } from '../runs/index.ts';
import type { ToolContext } from './tool.ts';

/** Input field of every tool that takes a run's orchestrator lock. */
export const takeOverInput = z
  .boolean()
  .default(false)
  .describe(
    'Take the orchestrator lock of the run from whoever holds it; default false: only from a dead process',
  );

/** `take_over` in the words of the locks. */
export function takeOverOf(takeOver: boolean): 'always' | 'if-dead' {
  return takeOver ? 'always' : 'if-dead';
}

/** @throws RlmError `usage` when the run is not one of a plan */
export function openPlanRun(context: ToolContext, runId: string): RunHandle {
  const run = context.openRun(runId);
  if (run.record.kind === 'plan') return run;
  throw new RlmError('usage', `run '${runId}' is a ${run.record.kind} run, not one of a plan`, {
    hint: 'rlm_status without run_id lists the runs and their kinds.',
  });
}
