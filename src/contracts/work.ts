import { z } from 'zod';

/** Limits that are checked before each launch; absent means none. */
export const Budget = z.object({
  max_workers: z.int().positive().optional().describe('Jobs or tasks started at most; default no limit'),
  max_attempts: z
    .int()
    .positive()
    .optional()
    .describe('Worker calls in all at most, retries included; default no limit'),
  max_minutes: z.number().positive().optional().describe('Minutes at most, over resumes; default no limit'),
  max_tokens: z.int().positive().optional().describe('Input plus output tokens at most; default no limit'),
  max_cost_usd: z
    .number()
    .positive()
    .optional()
    .describe('US dollars at most; default no limit; needs "prices" in .rlm/config.json, except for Claude'),
});
export type Budget = z.infer<typeof Budget>;

/** The limits among other options; those that were not given are absent. */
export function limitsOf(options: Budget): Budget {
  return Object.fromEntries(Object.entries(Budget.parse(options)).filter(([, limit]) => limit !== undefined));
}

export const WorkerChoice = z.enum(['auto', 'codex', 'claude', 'http', 'command', 'extractive']);
export const Lane = z.enum(['auto', 'exec', 'app-server']);

/**
 * Who works and within which limits, as a caller says it: the fields that every tool shares which sets workers to
 * work. A flow adds its own. All are optional; `resolveWork` in dispatch/ puts the defaults under them.
 */
export const WorkOptions = z.object({
  worker: WorkerChoice.optional().describe(
    'Who answers; default auto: Codex, else Claude, else a configured http model, else the extractive reader, which needs none',
  ),
  model: z
    .string()
    .refine((model) => model.trim() !== '', 'must be a non-empty string')
    .optional()
    .describe('Model of the workers; default that of the configuration'),
  command: z
    .array(z.string())
    .min(1)
    .optional()
    .describe(
      'A program and its arguments as the worker, or a name under commands in the configuration: prompt on stdin, answer on stdout; {prompt_file}, {chunk_id}, {model}, {schema_file} are filled in',
    ),
  parallel: z
    .int()
    .positive()
    .max(256)
    .optional()
    .describe('Workers at a time, at most 256; default min(8, cores)'),
  timeout_sec: z.int().positive().optional().describe('Seconds a call may take; default 600'),
  retries: z
    .int()
    .nonnegative()
    .max(20)
    .optional()
    .describe('Further attempts after a failure of its own, at most 20; default 2'),
  cache: z
    .boolean()
    .optional()
    .describe('Use accepted answers of earlier runs to the same question about the same text; default true'),
  ...Budget.shape,
  lane: Lane.optional().describe(
    'How Codex is run; default auto: one app-server where the installed version can',
  ),
  runner_script: z
    .string()
    .min(1)
    .optional()
    .describe('An executable that speaks the runner-script protocol; used instead of the built-in workers'),
  effort: z.string().min(1).optional().describe('Reasoning effort, sent as it is; default low for Codex'),
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
    .optional()
    .describe('Let Codex work outside a git repository; default true'),
  idle_timeout_sec: z
    .int()
    .positive()
    .optional()
    .describe('Seconds of silence after which a worker is ended; default 300'),
});
export type WorkOptions = z.infer<typeof WorkOptions>;

/** For the person who runs the machine: on the command line and in the configuration, never in an MCP tool. */
export const OPERATOR_ONLY = [
  'lane',
  'runner_script',
  'effort',
  'profile',
  'codex_home',
  'worker_cwd',
  'skip_git_repo_check',
  'idle_timeout_sec',
] as const satisfies (keyof WorkOptions)[];

/**
 * The same options with the defaults in place: the part of an activity's parameters that every flow has. It is on
 * disk, so that any process can take the work up again. Paths are absolute.
 */
export const WorkParams = WorkOptions.required({
  worker: true,
  parallel: true,
  timeout_sec: true,
  retries: true,
  cache: true,
  lane: true,
  skip_git_repo_check: true,
  idle_timeout_sec: true,
});
export type WorkParams = z.infer<typeof WorkParams>;
