import type { Budget } from '../contracts/index.ts';
import type { Caller, WorkRequest } from '../dispatch/index.ts';
import { budgetOf } from './report.ts';
import type { ToolContext } from './tool.ts';

/** The part of a tool's input that is about workers. */
export function workRequestOf(input: Omit<WorkRequest, 'budget'> & Budget): WorkRequest {
  const { worker, lane, runner_script, command, model, effort, profile, codex_home, worker_cwd } = input;
  const { skip_git_repo_check, parallel, timeout_sec, idle_timeout_sec, retries, cache } = input;
  return {
    worker,
    lane,
    runner_script,
    command,
    model,
    effort,
    profile,
    codex_home,
    worker_cwd,
    skip_git_repo_check,
    parallel,
    timeout_sec,
    idle_timeout_sec,
    retries,
    cache,
    budget: budgetOf(input),
  };
}

/** Where the caller of a tool stands, for the flows. */
export function callerOf(context: ToolContext): Caller {
  return {
    root: context.root,
    cwd: context.cwd,
    config: context.config.values,
    allowedRoots: context.caller === 'cli' ? null : [context.root, ...context.config.values.input_roots],
    environment: process.env,
  };
}
