import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { cleanupLogPath, RUN_FILES } from '../../contracts/index.ts';
import { systemCode } from '../../errors.ts';
import * as runs from '../../runs/index.ts';
import type { archive } from '../archive.ts';
import type { cleanup } from '../cleanup.ts';
import type { Handler } from '../tool.ts';
import { takeOverOf } from './input.ts';

const SHOWN_FILES = 20;
const SHOWN_ARCHIVES = 50;

export const handleArchive: Handler<typeof archive> = async (input, context) => {
  const run = context.openRun(input.run_id);
  const marked = input.mark_in_use ?? input.unmark_in_use;
  if (marked !== undefined) {
    if (input.mark_in_use !== undefined) runs.markInUse(context.root, marked, run.id);
    else runs.unmarkInUse(context.root, marked, run.id);
    const path = runs.archivePath(context.root, marked);
    return { run_id: run.id, archive_id: marked, path, in_use_by: runs.inUseBy(path), next: [] };
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
    kept: made.kept.slice(0, SHOWN_FILES),
    skipped: made.skipped.slice(0, SHOWN_FILES),
    resumed: made.resumed,
    cleanup: { deleted: made.cleanup.deleted.length, skipped: made.cleanup.skipped },
    next: [
      {
        tool: 'rlm_plan',
        args: {},
        why: 'Further work is a new run; mark_in_use on it keeps this archive from being deleted.',
      },
    ],
  };
};

const Decision = z.object({ termination_decision: z.object({ reason: z.string().min(1) }) });

/** The reason a finished plan gave itself; an archive without any says so. */
function reasonOf(runDir: string): string {
  try {
    const final = Decision.safeParse(JSON.parse(readFileSync(join(runDir, RUN_FILES.final), 'utf8')));
    return final.data?.termination_decision.reason ?? 'not given';
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return 'not given';
    throw error;
  }
}

export const handleCleanup: Handler<typeof cleanup> = async (input, context) => {
  const result = await runs.cleanArchives(context.root, { dryRun: input.dry_run });
  const holder = result.replaced_dead_holder;
  return {
    dry_run: result.dry_run,
    deleted: result.deleted.slice(0, SHOWN_ARCHIVES),
    deleted_total: result.deleted.length,
    freed_bytes: result.freed_bytes,
    kept: result.kept,
    skipped: result.skipped,
    replaced_dead_holder:
      holder === null ? null : { host: holder.host, pid: holder.pid, acquired_at: holder.acquired_at },
    log: cleanupLogPath(context.root),
  };
};
