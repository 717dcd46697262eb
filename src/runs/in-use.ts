import { existsSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHIVE_FILES, ARCHIVE_ID_PATTERN, archiveDirectory, type InUseMarker } from '../contracts/index.ts';
import { RlmError, systemCode } from '../errors.ts';
import { writeJsonAtomic } from '../files/index.ts';
import { checkRunId } from './run.ts';

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
    writeJsonAtomic(file, marker);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    throw noArchive(archiveId);
  }
  // A cleanup renames before it deletes: what is still here under its name, with the mark in it, stays.
  if (!existsSync(file)) throw noArchive(archiveId);
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
    return readdirSync(join(archive, ARCHIVE_FILES.inUseBy));
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
