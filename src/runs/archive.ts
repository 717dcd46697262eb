import { existsSync, mkdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  ARCHIVE_FILES,
  ArchivedTo,
  type ArchiveMeta,
  archiveDirectory,
  RUN_FILES,
  SCHEMA_VERSION,
} from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import {
  DIRECTORY_MODE,
  ensureDirectory,
  isInside,
  readTextFile,
  removeIfEmpty,
  writeJsonAtomic,
} from '../files/index.ts';
import { archivePath, readWholeArchiveMeta } from './archives.ts';
import { type CleanupResult, type Clock, cleanArchives, systemClock } from './cleanup.ts';
import { holdOrchestratorLock, lockDriver, releaseOrchestratorLock, type TakeOver } from './locks.ts';
import { openRun, type RunHandle, readRecord } from './run.ts';
import { holdsWhatItSays, sameFile, seal, snapshotTree, type Tree, walkTree } from './snapshot.ts';

/** What stays in an archived run besides the evidence of its finals: pointers, results, and the plan. */
const KEPT = new Set([
  RUN_FILES.run,
  RUN_FILES.activity,
  RUN_FILES.summary,
  RUN_FILES.results,
  RUN_FILES.answer,
  RUN_FILES.archivedTo,
  RUN_FILES.plan,
  RUN_FILES.reduceState,
  RUN_FILES.deferred,
  RUN_FILES.final,
  'final.md',
]);

export interface ArchiveOptions {
  terminationReason: string;
  ttlDays: number;
  keepForever?: boolean;
  /** The run's title unless given. */
  goalSummary?: string;
  /** Archive a plan run that has no `final.json` or `deferred.json`. */
  unfinished?: boolean;
  takeOver?: TakeOver;
  clock?: Clock;
}

export interface ArchiveResult {
  archive_id: string;
  /** Absolute. */
  path: string;
  files: number;
  size_bytes: number;
  /** Files that stay in the active run: pointers, finals and the evidence they name. */
  kept: string[];
  skipped: string[];
  /** A snapshot that an earlier call had completed before it died was taken up. */
  resumed: boolean;
  cleanup: CleanupResult;
}

/**
 * Archives a run: an immutable snapshot with a sha256 of every file, then the active run is trimmed to pointers,
 * finals and the evidence those name, its lock is released, and the cleanup runs. The snapshot is built under a
 * temporary name and renamed; a call after a crash goes on where the one before ended.
 *
 * @throws RlmError `conflict` while another process orchestrates or drives the run, when it is archived already, or when
 *   a plan run is not finished
 */
export async function archiveRun(
  root: string,
  runId: string,
  options: ArchiveOptions,
): Promise<ArchiveResult> {
  const run = openRun(root, runId);
  const lock = holdOrchestratorLock(root, runId, options);
  let done = false;
  try {
    const driver = lockDriver(run.dir, `archiving ${runId}`);
    let archived: Omit<ArchiveResult, 'cleanup'>;
    try {
      archived = await snapshotAndTrim(root, run, options);
    } finally {
      driver.release();
    }
    done = true;
    return { ...archived, cleanup: await cleanArchives(root, { dryRun: false, clock: options.clock }) };
  } finally {
    if (done || !lock.already) releaseOrchestratorLock(root, runId);
  }
}

async function snapshotAndTrim(
  root: string,
  run: RunHandle,
  options: ArchiveOptions,
): Promise<Omit<ArchiveResult, 'cleanup'>> {
  const pointer = readArchivedTo(run);
  if (pointer !== undefined && pointer.trimmed_at !== null) {
    throw new RlmError('conflict', `run '${run.id}' is archived already, as ${pointer.archive_id}`, {
      hint: `Look into ${pointer.path}.`,
    });
  }
  if (pointer === undefined) refuseUnfinished(run, options);
  const resumed = pointer !== undefined && (await isComplete(root, pointer.archive_id));
  const archiveId = resumed ? pointer.archive_id : await takeSnapshot(root, run, options);
  const meta = readWholeArchiveMeta(archivePath(root, archiveId));
  const kept = trim(root, run, meta);
  return {
    archive_id: archiveId,
    path: archivePath(root, archiveId),
    files: meta.files.length,
    size_bytes: meta.retention.size_bytes,
    kept,
    skipped: meta.skipped,
    resumed,
  };
}

/** Where an archived run went, or undefined. @throws RlmError `corrupt` */
export function readArchivedTo(run: RunHandle): ArchivedTo | undefined {
  return readRecord(join(run.dir, RUN_FILES.archivedTo), ArchivedTo);
}

/** @throws RlmError `conflict` for an archived run: what its finals cite must stay as it is */
export function requireNotArchived(run: RunHandle): void {
  const archived = readArchivedTo(run);
  if (archived === undefined) return;
  throw new RlmError('conflict', `run '${run.id}' is archived: it accepts no further work`, {
    hint: `Start a new run. What this one left is in ${archived.path}.`,
  });
}

function refuseUnfinished(run: RunHandle, options: ArchiveOptions): void {
  if (run.record.kind !== 'plan' || options.unfinished === true) return;
  const missing = [RUN_FILES.final, RUN_FILES.deferred].filter((file) => !existsSync(join(run.dir, file)));
  if (missing.length === 0) return;
  throw new RlmError('conflict', `run '${run.id}' is not finished: it has no ${missing.join(' and no ')}`, {
    hint: {
      text: 'Finalize it first, or archive it as it is.',
      action: { tool: 'rlm_archive', args: { run_id: run.id, unfinished: true } },
    },
  });
}

/** Locks and files that are still being written are not part of a run's record. */
function notPartOfRun(path: string, name: string): boolean {
  return (
    name.startsWith('.tmp-') || path === RUN_FILES.driverLock || path.startsWith(`${RUN_FILES.driverLock}.`)
  );
}

/**
 * Whether the archive that a pointer names is complete and unchanged: another process may have continued
 * the run since its archiver died. One that is not is for a person to look at.
 */
async function isComplete(root: string, archiveId: string): Promise<boolean> {
  const archive = archivePath(root, archiveId);
  if (!existsSync(archive)) return false;
  if (await holdsWhatItSays(join(archive, ARCHIVE_FILES.run), readWholeArchiveMeta(archive).files))
    return true;
  throw new RlmError(
    'conflict',
    `the run changed after it was archived as ${archiveId}, before it was trimmed`,
    {
      hint: `Look at both, then remove ${RUN_FILES.archivedTo} from the run and archive it again.`,
    },
  );
}

async function takeSnapshot(root: string, run: RunHandle, options: ArchiveOptions): Promise<string> {
  const clock = options.clock ?? systemClock;
  const archives = archiveDirectory(root);
  ensureDirectory(archives);
  // One name a run: its lock is held, so a directory of that name is what a dead process left.
  const building = join(archives, `.building-${run.id}`);
  rmSync(building, { recursive: true, force: true });
  rmSync(join(run.dir, RUN_FILES.archivedTo), { force: true });
  const tree = walkTree(run.dir, notPartOfRun);
  const evidence = evidenceFiles(root, run, tree);
  const keep = new Set([...KEPT, ...evidence]);
  mkdirSync(building, { mode: DIRECTORY_MODE });
  try {
    const files = await snapshotTree(
      run.dir,
      join(building, ARCHIVE_FILES.run),
      tree,
      (path) => !keep.has(path),
    );
    ensureDirectory(join(building, ARCHIVE_FILES.inUseBy));
    const now = clock.now();
    const archiveId = freeId(root, run.id, now);
    const meta: ArchiveMeta = {
      schema_version: SCHEMA_VERSION,
      archive_id: archiveId,
      run_id: run.id,
      kind: run.record.kind,
      goal_summary: options.goalSummary ?? run.record.title,
      start_timestamp: run.record.created_at,
      end_timestamp: now.toISOString(),
      termination_reason: options.terminationReason,
      retention: {
        ttl_days: options.ttlDays,
        keep_forever: options.keepForever ?? false,
        size_bytes: files.reduce((sum, file) => sum + file.size_bytes, 0),
      },
      uptime: clock.uptime(),
      evidence_files: evidence,
      skipped: tree.others,
      files,
    };
    writeJsonAtomic(join(building, ARCHIVE_FILES.meta), meta, { sync: true });
    // The pointer first: from here on the run is closed, and a call after a crash knows where to go on.
    writeJsonAtomic(join(run.dir, RUN_FILES.archivedTo), pointerTo(meta, null), { sync: true });
    renameSync(building, join(archives, archiveId));
    return archiveId;
  } catch (error) {
    rmSync(join(run.dir, RUN_FILES.archivedTo), { force: true });
    rmSync(building, { recursive: true, force: true });
    throw error;
  }
}

/** Files of the archive that stay in the active run too. */
function keptFiles(meta: ArchiveMeta): string[] {
  const evidence = new Set(meta.evidence_files);
  return meta.files.map(({ path }) => path).filter((path) => KEPT.has(path) || evidence.has(path));
}

function pointerTo(meta: ArchiveMeta, trimmedAt: string | null): ArchivedTo {
  return {
    schema_version: SCHEMA_VERSION,
    archive_id: meta.archive_id,
    path: `.rlm/archive/${meta.archive_id}`,
    archived_at: meta.end_timestamp,
    trimmed_at: trimmedAt,
    kept: keptFiles(meta),
  };
}

function freeId(root: string, runId: string, now: Date): string {
  const id = `${runId}-${now.toISOString().replace(/[-:.]/g, '')}`;
  for (let n = 1; ; n += 1) {
    const candidate = n === 1 ? id : `${id}-${n}`;
    if (!existsSync(archivePath(root, candidate))) return candidate;
  }
}

/** Removes from the active run what the archive holds, except what is kept, and makes the archive's files read-only. */
function trim(root: string, run: RunHandle, meta: ArchiveMeta): string[] {
  const archive = archivePath(root, meta.archive_id);
  const keep = new Set(keptFiles(meta));
  for (const { path } of meta.files) {
    const file = join(run.dir, path);
    const archived = join(archive, ARCHIVE_FILES.run, path);
    if (keep.has(path)) continue;
    // Only what the archive truly holds is removed.
    if (sameFile(file, archived)) unlinkSync(file);
    seal(archived);
  }
  const { directories } = walkTree(run.dir, notPartOfRun);
  for (const path of directories.reverse()) removeIfEmpty(join(run.dir, path));
  writeJsonAtomic(join(run.dir, RUN_FILES.archivedTo), pointerTo(meta, new Date().toISOString()), {
    sync: true,
  });
  return [...keep];
}

/** Files whose strings may name evidence inside the run. */
const FINALS = [RUN_FILES.final, RUN_FILES.answer];

/**
 * Files of the run that its finals name, as `path`, `path:line` or `path:first-last` from the root or from the
 * run. They stay where they are, so that every evidence path of the finals goes on resolving as it is written,
 * also when the archive has been deleted one day.
 */
function evidenceFiles(root: string, run: RunHandle, tree: Tree): string[] {
  const inRun = new Set(tree.files);
  const found = new Set<string>();
  for (const final of FINALS) {
    if (!inRun.has(final)) continue;
    const value: unknown = JSON.parse(readTextFile(join(run.dir, final)));
    for (const text of stringsIn(value)) {
      if (text.length > 4096) continue;
      const path = text.replace(/:\d+(-\d+)?$/, '');
      for (const candidate of [text, path]) {
        for (const base of [resolve(root), run.dir]) {
          const absolute = resolve(base, candidate);
          const inside = isInside(run.dir, absolute) ? absolute.slice(run.dir.length + 1) : '';
          if (inRun.has(inside)) found.add(inside);
        }
      }
    }
  }
  return [...found].sort();
}

function* stringsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) yield* stringsIn(part);
}
