import type { ContractInput, RunContract, Task, TaskInput } from '../contracts/index.ts';

export const EMPTY_CONTRACT: RunContract = {
  goal: '',
  non_goals: [],
  scope: { include: [], avoid: [] },
  invariants: [],
  sequence_rules: [],
  verification: { required: [], interpreter: '', environment: [], working_directory: '' },
  failure_policy: [],
};

/** A contract with the given parts put in. */
export function mergeContract(old: RunContract, given: ContractInput): RunContract {
  return {
    goal: given.goal ?? old.goal,
    non_goals: given.non_goals ?? old.non_goals,
    scope: {
      include: given.scope?.include ?? old.scope.include,
      avoid: given.scope?.avoid ?? old.scope.avoid,
    },
    invariants: given.invariants ?? old.invariants,
    sequence_rules: given.sequence_rules ?? old.sequence_rules,
    verification: {
      required: given.verification?.required ?? old.verification.required,
      interpreter: given.verification?.interpreter ?? old.verification.interpreter,
      environment: given.verification?.environment ?? old.verification.environment,
      working_directory: given.verification?.working_directory ?? old.verification.working_directory,
    },
    failure_policy: given.failure_policy ?? old.failure_policy,
  };
}

/** A task with defaults in place; `reportPath` is the default of its report. Paths are not looked at yet. */
export function completeTask(input: TaskInput, reportPath: string): Task {
  return {
    worker_id: input.worker_id,
    mode: input.mode ?? 'map',
    granularity: input.granularity ?? 'meso',
    compute_tier: input.compute_tier ?? 'standard',
    goal: input.goal,
    depends_on: [...new Set(input.depends_on ?? [])],
    inputs: input.inputs ?? [],
    context_paths: input.context_paths ?? [],
    hint_paths: input.hint_paths ?? [],
    owned_paths: input.owned_paths ?? [],
    report_path: input.report_path ?? reportPath,
    ...(input.retry_of === undefined ? {} : { retry_of: input.retry_of }),
  };
}
