import { z } from 'zod';
import { Budget } from '../contracts/index.ts';
import type { Caller, WorkRequest } from '../dispatch/index.ts';
import { budgetOf } from './report.ts';
import type { ToolContext } from './tool.ts';

/** Input fields of every tool that sets workers to work. */
export const workInput = {
  worker: z
    .enum(['auto', 'codex', 'claude', 'command', 'extractive'])
    .optional()
    .describe(
      'Who answers; default auto: Codex, then Claude, then the extractive reader, which needs no model',
    ),
  lane: z
    .enum(['auto', 'exec', 'app-server'])
    .optional()
    .describe('How Codex is run; default auto: one app-server where the installed version can'),
  runner_script: z
    .string()
    .min(1)
    .optional()
    .describe('An executable that speaks the runner-script protocol; used instead of the built-in workers'),
  command: z
    .array(z.string())
    .min(1)
    .optional()
    .describe(
      'A program and its arguments as the worker: prompt on stdin, answer on stdout; {prompt_file}, {chunk_id}, {model}, {schema_file} are filled in',
    ),
  model: z
    .string()
    .refine((model) => model.trim() !== '', '--model must be a non-empty string')
    .optional()
    .describe('Model of the workers; default CODEX_SUBAGENT_MODEL, else that of the configuration'),
  effort: z.string().min(1).optional().describe('Reasoning effort for Codex, sent as it is; default low'),
  profile: z
    .string()
    .min(1)
    .optional()
    .describe('Codex profile: $CODEX_HOME/<name>.config.toml; default CODEX_SUBAGENT_PROFILE'),
  codex_home: z
    .string()
    .min(1)
    .optional()
    .describe(
      'CODEX_HOME of the workers, created if missing; default CODEX_SUBAGENT_CODEX_HOME, else an isolated one',
    ),
  worker_cwd: z
    .string()
    .min(1)
    .optional()
    .describe('Working directory of the workers; default CODEX_SUBAGENT_CWD, else the root'),
  skip_git_repo_check: z
    .boolean()
    .default(true)
    .describe('Let Codex work outside a git repository; default true'),
  parallel: z.int().positive().max(256).optional().describe('Workers at a time; default min(8, cores)'),
  timeout_sec: z
    .int()
    .positive()
    .optional()
    .describe('Seconds a call may take when its job does not say itself; default 600'),
  idle_timeout_sec: z
    .int()
    .positive()
    .optional()
    .describe('Seconds of silence after which a worker is ended; default 300'),
  retries: z
    .int()
    .nonnegative()
    .max(20)
    .optional()
    .describe('Further attempts after a failure of its own; default 2, so 3 attempts'),
  ...Budget.shape,
  cache: z
    .boolean()
    .default(true)
    .describe(
      'Use accepted answers of earlier runs about the same chunk, question, schema and model; default true',
    ),
};

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
