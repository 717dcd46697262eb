import { z } from 'zod';
import { RunId } from '../contracts/index.ts';
import { RunReport } from '../resources/index.ts';
import { workInput } from './inputs.ts';
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
      .min(1)
      .optional()
      .describe(
        'Path of the JSONL file; each line {job_id, chunk_id, chunk_path, question, output_path, sandbox: "read-only", schema_path?, timeout_sec?}. Leave it out to run the jobs that rlm_build_jobs made in run_id',
      ),
    run_id: RunId.optional().describe(
      'Id of the new run, made up when absent: 3 to 64 of a-z 0-9 . _ -; without jobs, the run that has them',
    ),
    run_dir: z
      .string()
      .min(1)
      .optional()
      .describe(
        'At the command line only: another directory for the run than .rlm/runs/<run_id>; one that holds a run already is gone on with',
      ),
    ...workInput,
  }),
  output: RunReport,
  // It calls models, which are outside of this machine; it writes only inside its run directory.
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  startsWork: true,
  command: {
    name: 'batch',
    only: ['run_dir'],
    examples: [
      'batch --jobs jobs.jsonl --run-dir out --worker codex --parallel 8',
      'batch --jobs jobs.jsonl --command ./answer.sh {prompt_file}',
      'batch --run my-documents --max-tokens 200000 --detach',
    ],
  },
});
