import { z } from 'zod';
import { type PlanBudget, type WorkOptions, WorkParams } from '../contracts/index.ts';
import { type Caller, resolveWork } from '../dispatch/index.ts';
import { RlmError } from '../errors.ts';

/** What the driver of a plan's stage is started with. `requested.jsonl` names the tasks. */
export const PlanParams = WorkParams.extend({ worker: z.enum(['auto', 'codex', 'claude', 'command']) });
export type PlanParams = z.infer<typeof PlanParams>;

/** What a caller may say about who works on tasks: workers, models and limits are those of the plan and its tiers. */
export type StageOptions = Pick<
  WorkOptions,
  'command' | 'profile' | 'codex_home' | 'timeout_sec' | 'idle_timeout_sec'
> & { worker?: PlanParams['worker'] | undefined };

/**
 * The parameters of a stage.
 *
 * @param parallel workers at a time
 * @param budget of the plan; its `max_workers` and `max_iterations` are kept before tasks are requested
 * @throws RlmError `usage`, `not_found` or `unavailable`
 */
export function stageParams(
  options: StageOptions,
  parallel: number,
  budget: PlanBudget,
  caller: Caller,
): PlanParams {
  const { max_workers: _workers, max_iterations: _iterations, ...budgetOfCalls } = budget;
  const { limits } = caller.config;
  const params = resolveWork(
    {
      ...options,
      ...budgetOfCalls,
      timeout_sec: options.timeout_sec ?? limits.task_timeout_sec,
      idle_timeout_sec: options.idle_timeout_sec ?? limits.task_idle_timeout_sec,
      parallel,
      // A report that only lacks a part is asked for once more.
      retries: Math.min(1, limits.retries),
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
