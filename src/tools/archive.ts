import { z } from 'zod';
import { NextSteps } from '../resources/index.ts';
import { runIdInput, takeOverInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** Snapshots a run and trims it, or says that a run depends on an archive. */
export const archive = defineTool({
  name: 'rlm_archive',
  title: 'Archive a finished run',
  description:
    'Archives a finished run: an immutable snapshot with a sha256 of every file under .rlm/archive/, then trims the run to its results and the evidence they name, releases its lock, and deletes archives past their ttl. With mark_in_use or unmark_in_use it only says that the run depends, or no longer depends, on an archive, which no cleanup then deletes.',
  input: z.object({
    run_id: runIdInput,
    termination_reason: z
      .string()
      .min(1)
      .max(2000)
      .optional()
      .describe('Why the run ended; default: the reason in final.json'),
    goal_summary: z.string().min(1).max(4000).optional().describe("Default: the run's title"),
    ttl_days: z
      .number()
      .positive()
      .optional()
      .describe('Days the archive is kept at least; default 14, or retention.ttl_days of the configuration'),
    keep_forever: z.boolean().default(false).describe('No cleanup ever deletes it; default false'),
    unfinished: z
      .boolean()
      .default(false)
      .describe('Archive a plan that has no final.json, such as at the end of its budget; default false'),
    mark_in_use: z.string().optional().describe('archive_id that this run depends on'),
    unmark_in_use: z.string().optional().describe('archive_id that it no longer depends on'),
    take_over: takeOverInput,
  }),
  example: { run_id: 'my-plan' },
  output: z.object({
    run_id: z.string(),
    archive_id: z.string(),
    path: z.string(),
    in_use_by: z.array(z.string()).describe('Runs that depend on the archive'),
    files: z.int().optional(),
    size_bytes: z.int().optional(),
    kept: z.array(z.string()).optional().describe('What stays in the run, the first 20 files'),
    skipped: z.array(z.string()).optional().describe('Neither file nor directory, the first 20'),
    resumed: z.boolean().optional().describe('It went on where a call before had died'),
    cleanup: z.object({ deleted: z.int(), skipped: z.string().nullable() }).optional(),
    next: NextSteps,
  }),
  // What it removes from the run is in the archive; what the cleanup deletes is gone.
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  command: { positional: ['run_id'] },
});
