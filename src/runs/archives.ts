import { readdirSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { z } from 'zod';
import {
  ARCHIVE_FILES,
  ARCHIVE_ID_PATTERN,
  ArchiveMeta,
  archiveDirectory,
  type InUseMarker,
  RUN_ID_PATTERN,
} from '../contracts/index.ts';
import { RlmError, systemCode } from '../errors.ts';
import { writeJsonAtomic } from '../files/index.ts';
import { checkRunId, readRecord } from './run.ts';

/** An archive as a row of a list. */
export interface ArchiveListItem {
  archive_id: string;
  run_id: string;
  goal_summary: string;
  end_timestamp: string;
  termination_reason: string;
  size_bytes: number;
  ttl_days: number;
  keep_forever: boolean;
  in_use_by: string[];
}

/** The ids of all archives of a root, newest first. */
export function listArchiveIds(root: string): string[] {
  try {
    return readdirSync(archiveDirectory(root))
      .filter((name) => ARCHIVE_ID_PATTERN.test(name))
      .sort(newestFirst);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Orders ids by the time that they end in. */
function newestFirst(a: string, b: string): number {
  const [first, second] = [timeOf(a), timeOf(b)];
  if (first !== second) return first < second ? 1 : -1;
  return a < b ? 1 : -1;
}

function timeOf(id: string): string {
  return /\d{8}T\d{9}Z(?:-\d+)?$/.exec(id)?.[0] ?? '';
}

/**
 * One page of archives.
 *
 * @param options.cursor the last archive id of the page before
 */
export function listArchives(
  root: string,
  options: { cursor?: string | undefined; limit: number },
): { archives: ArchiveListItem[]; unreadable: string[]; total: number; next_cursor: string | null } {
  const { cursor, limit } = options;
  const ids = listArchiveIds(root);
  // The last one of the page before may have been deleted meanwhile.
  const rest = cursor === undefined ? ids : ids.filter((id) => newestFirst(id, cursor) > 0);
  const page = rest.slice(0, limit);
  const unreadable: string[] = [];
  const archives = page.flatMap((id) => {
    try {
      return [itemOf(join(archiveDirectory(root), id))];
    } catch (error) {
      if (!(error instanceof RlmError)) throw error;
      unreadable.push(id);
      return [];
    }
  });
  const next = rest.length > page.length ? (page.at(-1) ?? null) : null;
  return { archives, unreadable, total: ids.length, next_cursor: next };
}

function itemOf(archive: string): ArchiveListItem {
  const meta = readArchiveMeta(archive);
  return {
    archive_id: meta.archive_id,
    run_id: meta.run_id,
    goal_summary: meta.goal_summary,
    end_timestamp: meta.end_timestamp,
    termination_reason: meta.termination_reason,
    size_bytes: meta.retention.size_bytes,
    ttl_days: meta.retention.ttl_days,
    keep_forever: meta.retention.keep_forever,
    in_use_by: inUseBy(archive),
  };
}

const MetaHead = ArchiveMeta.omit({ files: true });
type MetaHead = z.infer<typeof MetaHead>;

/**
 * The `meta.json` of an archive without its list of files, which is not even checked: it may be long.
 *
 * @throws RlmError `not_found` or `corrupt`
 */
export function readArchiveMeta(archive: string): MetaHead {
  return readMeta(archive, MetaHead);
}

/** The whole `meta.json` of an archive. @throws RlmError `not_found` or `corrupt` */
export function readWholeArchiveMeta(archive: string): ArchiveMeta {
  return readMeta(archive, ArchiveMeta);
}

function readMeta<T>(archive: string, schema: z.ZodType<T>): T {
  const meta = readRecord(join(archive, ARCHIVE_FILES.meta), schema);
  if (meta === undefined) throw new RlmError('not_found', `no archive '${basename(archive)}'`);
  return meta;
}

/** The directory of one archive. @throws RlmError `usage` for an id that is none */
export function archivePath(root: string, archiveId: string): string {
  if (!ARCHIVE_ID_PATTERN.test(archiveId) || archiveId.includes('..')) {
    throw new RlmError('usage', `'${archiveId}' is not an archive id`, {
      hint: {
        text: 'Archive ids are <run_id>-<timestamp>. List the archives.',
        action: { tool: 'rlm_read', args: { uri: 'rlm://archive' } },
      },
    });
  }
  return join(archiveDirectory(root), archiveId);
}

/**
 * Says that a run depends on an archive: no cleanup deletes it until the mark is removed.
 *
 * @throws RlmError `not_found` when the archive is not there, also when a cleanup took it at this very moment
 */
export function markInUse(root: string, archiveId: string, runId: string): void {
  const archive = archivePath(root, archiveId);
  const marker: InUseMarker = { run_id: checkRunId(runId), added_at: new Date().toISOString() };
  const file = join(archive, ARCHIVE_FILES.inUseBy, runId);
  try {
    // A cleanup renames before it looks for marks a last time: what can still be written to by this name stays.
    writeJsonAtomic(file, marker);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    throw noArchive(archiveId);
  }
}

/** Removes the mark; no error when there is none. */
export function unmarkInUse(root: string, archiveId: string, runId: string): void {
  try {
    unlinkSync(join(archivePath(root, archiveId), ARCHIVE_FILES.inUseBy, checkRunId(runId)));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** Ids of the runs that depend on an archive. A directory that cannot be read counts as in use. */
export function inUseBy(archive: string): string[] {
  try {
    // What is still being written, or was when its writer died, is no mark.
    return readdirSync(join(archive, ARCHIVE_FILES.inUseBy)).filter((name) => RUN_ID_PATTERN.test(name));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function noArchive(archiveId: string): RlmError {
  return new RlmError('not_found', `no archive '${archiveId}'`, {
    hint: 'It may have been deleted by a cleanup.',
  });
}
