import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { z } from 'zod';
import { ARCHIVE_FILES, ARCHIVE_ID_PATTERN, ArchiveMeta, archiveDirectory } from '../contracts/index.ts';
import { RlmError, systemCode } from '../errors.ts';
import { inUseBy } from './in-use.ts';
import { pageOf } from './page.ts';
import { readRecord } from './record.ts';

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

/** The ids of all archives of a root, sorted backwards: of one run, and of run ids of our making, newest first. */
export function listArchiveIds(root: string): string[] {
  try {
    return readdirSync(archiveDirectory(root))
      .filter((name) => ARCHIVE_ID_PATTERN.test(name))
      .sort()
      .reverse();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
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
  const { page, ...rest } = pageOf(listArchiveIds(root), options);
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
  return { archives, unreadable, ...rest };
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
