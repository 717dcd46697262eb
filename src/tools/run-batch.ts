import { BatchOptions } from '../contracts/index.ts';
import { RunReport } from '../resources/index.ts';
import { waitSecInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** Runs a jobs file. */
export const runBatch = defineTool({
  name: 'rlm_run_batch',
  title: 'Run a batch of jobs',
  description:
    'Runs a jobs.jsonl file: fans many chunk questions out to parallel workers (Codex, Claude, a command or the built-in extractive reader), retries by failure class, validates every answer against its JSON Schema, and keeps results, logs and summary.json in a run directory. Longer ones go on in the background: then rlm_wait.',
  input: BatchOptions.extend({ wait_sec: waitSecInput }),
  example: { jobs: 'jobs.jsonl', worker: 'auto' },
  output: RunReport,
  // It calls models, which are outside of this machine; it writes only inside its run directory.
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  startsWork: true,
  command: {
    name: 'batch',
    examples: [
      'batch --jobs jobs.jsonl --run-dir out --worker codex --parallel 8',
      'batch --jobs jobs.jsonl --command ./answer.sh {prompt_file}',
      'batch --run my-documents --max-tokens 200000 --detach',
    ],
  },
});
