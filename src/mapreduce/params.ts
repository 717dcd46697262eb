import { z } from 'zod';
import type { PlanBudget } from '../contracts/index.ts';
import { type Caller, resolveWork, WorkParams } from '../dispatch/index.ts';
import { RlmError } from '../errors.ts';
import { STALE_SECONDS } from './inventory.ts';

/** What the driver of a plan's stage is started with. Which tasks it runs stands in `requested.jsonl`. */
export const PlanParams = WorkParams.extend({ worker: z.enum(['auto', 'codex', 'claude', 'command']) });
export type PlanParams = z.infer<typeof PlanParams>;

/** A task is patient work (seed 003): an hour, and as much silence as makes it stale. */
const TASK_TIMEOUT_SEC = 3600;
const TASK_IDLE_SEC = STALE_SECONDS;

/** What a caller may say about who works on tasks. */
export interface StageRequest {
  worker?: PlanParams['worker'] | undefined;
  command?: string[] | undefined;
  profile?: string | undefined;
  codex_home?: string | undefined;
  timeout_sec?: number | undefined;
  idle_timeout_sec?: number | undefined;
}

/**
 * The parameters of a stage.
 *
 * @param parallel workers at a time
 * @param budget of the plan; its `max_workers` and `max_iterations` are kept before tasks are requested
 * @throws RlmError `usage`, `not_found` or `unavailable`
 */
export function stageParams(
  request: StageRequest,
  parallel: number,
  budget: PlanBudget,
  caller: Caller,
): PlanParams {
  const { max_workers: _workers, max_iterations: _iterations, ...limits } = budget;
  const params = resolveWork(
    {
      ...request,
      timeout_sec: request.timeout_sec ?? TASK_TIMEOUT_SEC,
      idle_timeout_sec: request.idle_timeout_sec ?? TASK_IDLE_SEC,
      parallel,
      budget: limits,
      cache: false,
    },
    // The model of a task is that of its tier, whatever the batch runner's variables say.
    { ...caller, environment: { ...caller.environment, CODEX_SUBAGENT_MODEL: undefined } },
  );
  const checked = PlanParams.safeParse(params);
  if (checked.success) return checked.data;
  throw new RlmError('unavailable', `worker '${params.worker}' cannot carry out tasks: it writes no files`, {
    hint: 'Use codex, claude, or a command.',
  });
}
