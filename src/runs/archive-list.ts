import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ARCHIVE_ID_PATTERN, ArchiveMeta } from '../contracts/index.ts';
import { messageOf, RlmError, systemCode } from '../errors.ts';
import { archiveDirectory, inUseBy } from './in-use.ts';
import { unreadable } from './run.ts';

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
  const ids = listArchiveIds(root);
  const cursor = options.cursor;
  const from = cursor === undefined ? 0 : ids.findIndex((id) => id < cursor);
  const page = from === -1 ? [] : ids.slice(from, from + options.limit);
  const last = page.at(-1);
  const damaged: string[] = [];
  const archives = page.flatMap((id) => {
    try {
      return [itemOf(join(archiveDirectory(root), id))];
    } catch (error) {
      if (!(error instanceof RlmError)) throw error;
      damaged.push(id);
      return [];
    }
  });
  return {
    archives,
    unreadable: damaged,
    total: ids.length,
    next_cursor: last !== undefined && from + page.length < ids.length ? last : null,
  };
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
type MetaHead = Omit<ArchiveMeta, 'files'>;

/**
 * The `meta.json` of an archive; its list of files is checked and returned only when asked for.
 *
 * @throws RlmError `not_found` or `corrupt`
 */
export function readArchiveMeta(archive: string, options: { files: true }): ArchiveMeta;
export function readArchiveMeta(archive: string): MetaHead;
export function readArchiveMeta(archive: string, options?: { files: true }): ArchiveMeta | MetaHead {
  const file = join(archive, 'meta.json');
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw new RlmError('not_found', `no archive '${basename(archive)}'`);
    throw new RlmError('corrupt', `${file}: ${messageOf(error)}`);
  }
  const parsed = options === undefined ? MetaHead.safeParse(value) : ArchiveMeta.safeParse(value);
  if (!parsed.success) throw unreadable(file, value);
  return parsed.data;
}
