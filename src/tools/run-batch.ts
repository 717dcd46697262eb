import { z } from 'zod';
import { startActivity } from '../activities/index.ts';
import { prepareBatch } from '../batch/index.ts';
import { Budget, RunId } from '../contracts/index.ts';
import { budgetOf, RunReport, reportRun } from './report.ts';
import { defineTool } from './tool.ts';

/** Runs a jobs file: the batch runner of CONTRACTS.md A. */
export const runBatch = defineTool({
  name: 'rlm_run_batch',
  title: 'Run a batch of jobs',
  description:
    'Runs a jobs.jsonl file: fans many chunk questions out to parallel workers (Codex, Claude, a command or the built-in extractive reader), retries by failure class, validates every answer against its JSON Schema, and keeps results, logs and summary.json in a run directory. Returns {run_id, state, next} at once; follow it with rlm_wait or rlm_status.',
  input: z.object({
    jobs: z
      .string()
      .describe(
        'Path of the JSONL file; each line {job_id, chunk_id, chunk_path, question, output_path, schema_path, sandbox: "read-only", timeout_sec?}',
      ),
    run_id: RunId.optional().describe('Id of the new run: 3 to 64 of a-z 0-9 . _ -; made up when absent'),
    run_dir: z
      .string()
      .optional()
      .describe(
        'Another directory for the run than .rlm/runs/<run_id>; one that holds a run already is gone on with',
      ),
    parallel: z.int().positive().max(256).optional().describe('Workers at a time; default min(8, cores)'),
    timeout_sec: z
      .int()
      .positive()
      .optional()
      .describe('Seconds a job may take when it does not say itself; default 600'),
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
      .describe('Further attempts a job has after a failure of its own; default 2, so 3 attempts'),
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
    effort: z.string().optional().describe('Reasoning effort for Codex, sent as it is; default low'),
    profile: z
      .string()
      .optional()
      .describe('Codex profile: $CODEX_HOME/<name>.config.toml; default CODEX_SUBAGENT_PROFILE'),
    codex_home: z
      .string()
      .optional()
      .describe(
        'CODEX_HOME of the workers, created if missing; default CODEX_SUBAGENT_CODEX_HOME, else an isolated one',
      ),
    worker_cwd: z
      .string()
      .optional()
      .describe('Working directory of the workers; default CODEX_SUBAGENT_CWD'),
    skip_git_repo_check: z
      .boolean()
      .default(true)
      .describe('Let Codex work outside a git repository; default true'),
    ...Budget.shape,
    cache: z
      .boolean()
      .default(true)
      .describe(
        'Use accepted answers of earlier runs about the same chunk, question, schema and model; default true',
      ),
  }),
  output: RunReport,
  // It calls models, which are outside of this machine; it writes only inside its run directory.
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  startsWork: true,
  command: { name: 'batch' },
  async run(input, context) {
    const { values } = context.config;
    const { run, params } = await prepareBatch(
      {
        jobs: input.jobs,
        runId: input.run_id,
        runDir: input.run_dir,
        worker: input.worker,
        lane: input.lane,
        runnerScript: input.runner_script,
        command: input.command,
        model: input.model,
        effort: input.effort,
        profile: input.profile,
        codexHome: input.codex_home,
        workerCwd: input.worker_cwd,
        skipGitRepoCheck: input.skip_git_repo_check,
        parallel: input.parallel,
        timeoutSec: input.timeout_sec,
        idleTimeoutSec: input.idle_timeout_sec,
        retries: input.retries,
        budget: budgetOf(input),
        cache: input.cache,
      },
      {
        root: context.root,
        cwd: context.cwd,
        config: values,
        allowedRoots: context.caller === 'cli' ? null : [context.root, ...values.input_roots],
        environment: process.env,
      },
    );
    return reportRun(run, await startActivity(run, 'batch', params));
  },
});
