import { z } from 'zod';
import { RunId, WorkOptions } from '../contracts/index.ts';
import { RunReport } from '../resources/index.ts';

/** The input of every tool that is about one run. */
export const runIdInput = RunId.describe('The run');

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

/** Input field of every tool that starts work or waits for it. */
export const waitSecInput = z
  .number()
  .nonnegative()
  .optional()
  .describe(
    'Seconds to wait for the end; over MCP default 20, at most 280 in Codex, 110 in Claude, 45 elsewhere; 0: not at all',
  );

/** Input fields of the tools that launch tasks: who works, where a driver has to be started for it. */
export const stageInput = {
  worker: z
    .enum(['auto', 'codex', 'claude', 'command'])
    .optional()
    .describe('Who carries the tasks out; default auto: Codex, then Claude. A running driver keeps its own'),
  command: WorkOptions.shape.command,
  codex_home: WorkOptions.shape.codex_home,
  timeout_sec: WorkOptions.shape.timeout_sec.describe('Seconds a task may take; default 3600'),
  idle_timeout_sec: WorkOptions.shape.idle_timeout_sec.describe(
    'Seconds of silence after which a worker is ended; default 1200',
  ),
  wait_sec: waitSecInput,
};

/** What the tools that launch tasks return. */
export const StageReport = RunReport.pick({
  run_id: true,
  state: true,
  outcome: true,
  reason: true,
  run_dir: true,
  wait_reduced_to_sec: true,
  next: true,
}).extend({
  started: z.array(z.string()).describe('worker_ids handed to the driver now, the first 50'),
  started_total: z.int(),
});
