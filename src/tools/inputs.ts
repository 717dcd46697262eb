import { z } from 'zod';
import { Budget, RunId } from '../contracts/index.ts';

/** The input of every tool that is about one run. */
export const runIdInput = RunId.describe(
  'The run, as returned by the tool that started it or listed by rlm_status: 3 to 64 of a-z 0-9 . _ -',
);

/** Input field of every tool that takes a run's orchestrator lock. */
export const takeOverInput = z
  .boolean()
  .default(false)
  .describe(
    'Take the orchestrator lock of the run from whoever holds it; default false: only from a dead process',
  );

/** A field for input that is too long for a call, or too nested for a command line. */
export function fileInput(what: string) {
  return z.string().optional().describe(`Path of a JSON file with ${what}; fields given beside it win`);
}

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
    .refine((model) => model.trim() !== '', 'must be a non-empty string')
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

/** Input fields of the tools that launch tasks: who works, where a driver has to be started for it. */
export const stageInput = {
  worker: z
    .enum(['auto', 'codex', 'claude', 'command'])
    .optional()
    .describe('Who carries the tasks out; default auto: Codex, then Claude. A running driver keeps its own'),
  command: workInput.command,
  codex_home: workInput.codex_home,
  timeout_sec: workInput.timeout_sec.describe('Seconds a task may take; default 3600'),
  idle_timeout_sec: workInput.idle_timeout_sec.describe(
    'Seconds of silence after which a worker is ended; default 1200',
  ),
};
