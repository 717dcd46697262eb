import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { systemCode } from '../errors.ts';
import { takeOverInput, takeOverOf } from './plan-run.ts';
import { runIdInput } from './report.ts';
import { defineTool } from './tool.ts';

const SHOWN = 20;

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
  }),
  // What it removes from the run is in the archive; what the cleanup deletes is gone.
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  command: { positional: ['run_id'] },
  async run(input, context) {
    const runs = await import('../runs/index.ts');
    const run = context.openRun(input.run_id);
    const marked = input.mark_in_use ?? input.unmark_in_use;
    if (marked !== undefined) {
      if (input.mark_in_use !== undefined) runs.markInUse(context.root, marked, run.id);
      else runs.unmarkInUse(context.root, marked, run.id);
      const path = runs.archivePath(context.root, marked);
      return { run_id: run.id, archive_id: marked, path, in_use_by: runs.inUseBy(path) };
    }
    const made = await runs.archiveRun(context.root, run.id, {
      terminationReason: input.termination_reason ?? reasonOf(run.dir),
      ttlDays: input.ttl_days ?? context.config.values.retention.ttl_days,
      keepForever: input.keep_forever,
      ...(input.goal_summary === undefined ? {} : { goalSummary: input.goal_summary }),
      unfinished: input.unfinished,
      takeOver: takeOverOf(input.take_over),
    });
    return {
      run_id: run.id,
      archive_id: made.archive_id,
      path: made.path,
      in_use_by: [],
      files: made.files,
      size_bytes: made.size_bytes,
      kept: made.kept.slice(0, SHOWN),
      skipped: made.skipped.slice(0, SHOWN),
      resumed: made.resumed,
      cleanup: { deleted: made.cleanup.deleted.length, skipped: made.cleanup.skipped },
    };
  },
});

const Decision = z.object({ termination_decision: z.object({ reason: z.string().min(1) }) });

/** The reason a finished plan gave itself; an archive without any says so. */
function reasonOf(runDir: string): string {
  try {
    const final = Decision.safeParse(JSON.parse(readFileSync(join(runDir, 'final.json'), 'utf8')));
    return final.data?.termination_decision.reason ?? 'not given';
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return 'not given';
    throw error;
  }
}
