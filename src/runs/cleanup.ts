import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { z } from 'zod';
import {
  ARCHIVE_FILES,
  archiveDirectory,
  cleanupLogPath,
  locksDirectory,
  stateDirectory,
} from '../contracts/index.ts';
import { RlmError, systemCode } from '../errors.ts';
import {
  acquireLock,
  ensureDirectory,
  type HeldLock,
  JsonlAppender,
  type LockHolder,
  ownIdentity,
  readLock,
  writeJsonAtomic,
} from '../files/index.ts';
import { inUseBy, listArchiveIds, readArchiveMeta } from './archives.ts';
import { orchestratorLockPath } from './locks.ts';

const DAY_MS = 86_400_000;
/** Archives removed at a time: most of it is waiting for the disk. */
const PARALLEL = 16;
/** An archive that is being deleted: not in any list, and renamed back when a run turns out to use it. */
const DELETING = '.deleting-';
const BUILDING = '.building-';

export interface CleanupResult {
  dry_run: boolean;
  /** Why nothing was done: another cleanup is at work, and who that is; or its lock is damaged. */
  skipped: string | null;
  /** A cleanup that had died with the lock in its hands. */
  replaced_dead_holder: LockHolder | null;
  /** Deleted, or in a dry run: would be. */
  deleted: string[];
  freed_bytes: number;
  kept: { in_use: number; keep_forever: number; young: number; unreadable: number };
}

type Verdict = 'expired' | 'in_use' | 'keep_forever' | 'young' | 'unreadable';

/**
 * Deletes the archives that are older than their ttl, are not kept for ever, and that no run uses. Each
 * deletion is a line of `.rlm/cleanup.log`. One cleanup works at a time: another one is skipped.
 *
 * @param options.dryRun only says what would be deleted; the default
 */
export async function cleanArchives(
  root: string,
  options: { dryRun?: boolean; clock?: Clock | undefined } = {},
): Promise<CleanupResult> {
  const given = options.clock ?? systemClock;
  const result: CleanupResult = {
    dry_run: options.dryRun ?? true,
    skipped: null,
    replaced_dead_holder: null,
    deleted: [],
    freed_bytes: 0,
    kept: { in_use: 0, keep_forever: 0, young: 0, unreadable: 0 },
  };
  if (!existsSync(archiveDirectory(root))) return result;
  const now = steadyNow(join(stateDirectory(root), 'cleanup-clock.json'), given, !result.dry_run);
  const clock: Clock = { now: () => now, uptime: () => given.uptime() };
  if (result.dry_run) {
    for (const id of listArchiveIds(root)) {
      const { verdict, size } = judge(join(archiveDirectory(root), id), clock);
      if (verdict === 'expired') {
        result.deleted.push(id);
        result.freed_bytes += size;
      } else result.kept[verdict] += 1;
    }
    return result;
  }
  const lock = cleanupLock(root, result);
  if (lock === undefined) return result;
  try {
    await clean(root, clock, result);
  } finally {
    lock.release();
  }
  return result;
}

function cleanupLock(root: string, result: CleanupResult): HeldLock | undefined {
  const locks = locksDirectory(resolve(root));
  ensureDirectory(locks);
  const path = join(locks, 'cleanup.lock');
  try {
    const before = readLock(path);
    const lock = acquireLock(path, 'cleaning archives', 'if-dead');
    result.replaced_dead_holder = before ?? null;
    return lock;
  } catch (error) {
    if (!(error instanceof RlmError) || !(error.code === 'conflict' || error.code === 'corrupt')) throw error;
    result.skipped = error.message;
    return undefined;
  }
}

async function clean(root: string, clock: Clock, result: CleanupResult): Promise<void> {
  const directory = archiveDirectory(root);
  const limit = pLimit(PARALLEL);
  const removals: Promise<void>[] = [];
  const remove = (id: string) => removals.push(limit(() => removeHidden(directory, id)));
  const log = new JsonlAppender(cleanupLogPath(root));
  try {
    for (const name of readdirSync(directory)) {
      // What an earlier cleanup was about to delete when it died is judged anew.
      if (name.startsWith(DELETING)) {
        const id = name.slice(DELETING.length);
        if (stillToDelete(directory, id, clock, log, result)) remove(id);
      }
      if (name.startsWith(BUILDING)) removeAbandoned(root, name, log);
    }
    for (const id of listArchiveIds(root)) {
      const { verdict } = judge(join(directory, id), clock);
      if (verdict !== 'expired') {
        result.kept[verdict] += 1;
        continue;
      }
      renameSync(join(directory, id), join(directory, DELETING + id));
      if (stillToDelete(directory, id, clock, log, result)) remove(id);
    }
    await Promise.all(removals);
  } finally {
    await Promise.allSettled(removals);
    log.close();
  }
}

/**
 * Judges an archive again once it is renamed and cannot be marked any more: a mark made before is seen here.
 * What may go is logged, what may not is put back.
 */
function stillToDelete(
  directory: string,
  id: string,
  clock: Clock,
  log: JsonlAppender,
  result: CleanupResult,
): boolean {
  const hidden = join(directory, DELETING + id);
  const { verdict, size, why } = judge(hidden, clock);
  // meta.json goes first: without it the deletion was decided, logged and under way.
  const halfDeleted = !existsSync(join(hidden, ARCHIVE_FILES.meta));
  if (verdict !== 'expired' && !halfDeleted) {
    renameSync(hidden, join(directory, id));
    return false;
  }
  if (!halfDeleted)
    log.append({ ts: new Date().toISOString(), action: 'delete', archive_id: id, size_bytes: size, why });
  result.deleted.push(id);
  result.freed_bytes += size;
  return true;
}

/** The record goes first: without it, the next cleanup goes on where this one died. */
async function removeHidden(directory: string, id: string): Promise<void> {
  const hidden = join(directory, DELETING + id);
  await rm(join(hidden, ARCHIVE_FILES.meta), { force: true });
  await rm(hidden, { recursive: true, force: true });
}

/** A snapshot that was never finished, unless the run's lock is held. */
function removeAbandoned(root: string, name: string, log: JsonlAppender): void {
  let lock: HeldLock;
  try {
    lock = acquireLock(
      orchestratorLockPath(root, name.slice(BUILDING.length)),
      'removing a dead snapshot',
      'if-dead',
    );
  } catch (error) {
    if (error instanceof RlmError && error.code === 'conflict') return;
    throw error;
  }
  try {
    rmSync(join(archiveDirectory(root), name), { recursive: true, force: true });
    log.append({ ts: new Date().toISOString(), action: 'remove_abandoned', name });
  } finally {
    lock.release();
  }
}

/**
 * Whether an archive may go. Its age is the least of all that can be told: by `end_timestamp`, by the time of the
 * directory, and, in the boot it was made in, by the time the machine has been up, which no change of the clock
 * moves. So neither a clock set forward nor one set back makes anything older than it is; in a later boot
 * `steadyNow` sees a clock that is set forward between two looks.
 */
function judge(archive: string, clock: Clock): { verdict: Verdict; size: number; why: string } {
  let meta: ReturnType<typeof readArchiveMeta>;
  let changed: number;
  let users: string[];
  try {
    meta = readArchiveMeta(archive);
    changed = statSync(join(archive, ARCHIVE_FILES.run)).mtimeMs;
    users = inUseBy(archive);
  } catch (error) {
    if (!(error instanceof RlmError) && systemCode(error) === undefined) throw error;
    return { verdict: 'unreadable', size: 0, why: 'unreadable' };
  }
  const size = meta.retention.size_bytes;
  const now = clock.now().getTime();
  const up = clock.uptime();
  const ages = [now - Date.parse(meta.end_timestamp), now - changed];
  if (up !== null && meta.uptime?.boot === up.boot) ages.push((up.seconds - meta.uptime.seconds) * 1000);
  const age = Math.min(...ages) / DAY_MS;
  const why = `${age.toFixed(2)} days old, ttl_days ${meta.retention.ttl_days}`;
  if (meta.retention.keep_forever) return { verdict: 'keep_forever', size, why };
  if (!(age > meta.retention.ttl_days)) return { verdict: 'young', size, why };
  if (users.length > 0) return { verdict: 'in_use', size, why };
  return { verdict: 'expired', size, why };
}

/** Two measures of time: the clock, which can be set, and the time since the machine started, which cannot. */
export interface Clock {
  now(): Date;
  /** Null where the platform does not tell one boot from another. */
  uptime(): { boot: string; seconds: number } | null;
}

export const systemClock: Clock = {
  now: () => new Date(),
  uptime() {
    // On Linux a process's start is `<boot id>:<ticks>`; elsewhere it holds no boot.
    const [boot, ticks] = process.platform === 'linux' ? ownIdentity().start.split(':') : [];
    return boot === undefined || boot === '' || ticks === undefined ? null : { boot, seconds: uptime() };
  },
};

/** A look at the clock: the time it was taken for, and how long the machine had been up. */
const Look = z.object({ boot: z.string(), uptime_sec: z.number(), now: z.iso.datetime() });

/**
 * The time, with no jump forward since the last look of this boot: what was last seen, and what has passed since by
 * the machine's uptime, is the latest that it can be. Where nothing was seen in this boot, what the clock says.
 *
 * @param file keeps the look
 * @param keep write this look down for the next one
 */
function steadyNow(file: string, clock: Clock, keep: boolean): Date {
  const up = clock.uptime();
  const now = clock.now();
  if (up === null) return now;
  const last = readLook(file);
  const latest =
    last?.boot === up.boot
      ? Date.parse(last.now) + (up.seconds - last.uptime_sec) * 1000
      : Number.POSITIVE_INFINITY;
  const steady = new Date(Math.min(now.getTime(), latest));
  if (keep) writeJsonAtomic(file, { boot: up.boot, uptime_sec: up.seconds, now: steady.toISOString() });
  return steady;
}

function readLook(file: string): z.infer<typeof Look> | undefined {
  try {
    return Look.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
