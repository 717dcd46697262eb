import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acquireLock, ownIdentity } from '../../src/files/index.ts';
import {
  archivePath,
  archiveRun,
  type Clock,
  cleanArchives,
  createRun,
  inUseBy,
  listArchiveIds,
  markInUse,
  unmarkInUse,
} from '../../src/runs/index.ts';
import { place, temporaryDirectory } from '../support/runs.ts';

const DAY = 86_400;

/** A clock whose hands and whose uptime are set by the test, seconds from now. */
function clockAt(handsSec: number, upSec: number | null, boot = 'boot-1'): Clock {
  return {
    now: () => new Date(Date.now() + handsSec * 1000),
    uptime: () => (upSec === null ? null : { boot, seconds: 1000 + upSec }),
  };
}

async function archived(
  root: string,
  runId: string,
  options: { ttlDays?: number; keepForever?: boolean } = {},
) {
  createRun(root, { kind: 'batch', title: 't', runId });
  const result = await archiveRun(root, runId, {
    terminationReason: 'done',
    ttlDays: options.ttlDays ?? 14,
    keepForever: options.keepForever ?? false,
    clock: clockAt(0, 0),
  });
  return result.archive_id;
}

const log = (root: string) =>
  readFileSync(join(root, '.rlm/cleanup.log'), 'utf8')
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));

describe('cleanup', () => {
  it('deletes what is older than its ttl, not kept for ever and not in use, and logs each deletion', async () => {
    const root = temporaryDirectory();
    const old = await archived(root, 'old-run');
    const long = await archived(root, 'long-run', { ttlDays: 90 });
    const forever = await archived(root, 'for-ever', { keepForever: true });
    const used = await archived(root, 'used-run');
    markInUse(root, used, 'other-run');
    const clock = clockAt(15 * DAY, 15 * DAY);

    const dry = await cleanArchives(root, { clock });
    expect(dry).toMatchObject({
      dry_run: true,
      deleted: [old],
      kept: { young: 1, keep_forever: 1, in_use: 1 },
    });
    expect(listArchiveIds(root)).toHaveLength(4);

    const result = await cleanArchives(root, { dryRun: false, clock });
    expect(result.deleted).toEqual([old]);
    expect(listArchiveIds(root).sort()).toEqual([forever, long, used].sort());
    expect(log(root)).toEqual([expect.objectContaining({ action: 'delete', archive_id: old })]);

    unmarkInUse(root, used, 'other-run');
    expect((await cleanArchives(root, { dryRun: false, clock })).deleted).toEqual([used]);
    expect(() => markInUse(root, used, 'other-run')).toThrow(/no archive/);
    expect(() => markInUse(root, '../runs', 'other-run')).toThrow(/not an archive id/);
  });

  it.each([
    ['forward by a year, the machine still up', clockAt(365 * DAY, DAY)],
    ['back by a year', clockAt(-365 * DAY, DAY)],
    ['on by 13 days, over a restart', clockAt(13 * DAY, 60, 'boot-2')],
    ['to just below the ttl', clockAt(13.9 * DAY, 13.9 * DAY)],
  ])('keeps a young archive when the clock goes %s', async (_name, clock) => {
    const root = temporaryDirectory();
    await archived(root, 'young-run');
    expect(await cleanArchives(root, { dryRun: false, clock })).toMatchObject({
      deleted: [],
      kept: { young: 1 },
    });
  });

  it('keeps a young archive of an earlier boot when the clock jumps between two looks', async () => {
    const root = temporaryDirectory();
    const id = await archived(root, 'young-run');
    const clean = (clock: Clock) => cleanArchives(root, { dryRun: false, clock });
    // A day later, after a restart; then the clock is a year ahead, back again, and ahead once more.
    expect(await clean(clockAt(DAY, 60, 'boot-2'))).toMatchObject({ kept: { young: 1 } });
    expect(await clean(clockAt(366 * DAY, 3660, 'boot-2'))).toMatchObject({ kept: { young: 1 } });
    expect(await clean(clockAt(DAY + 7200, 7260, 'boot-2'))).toMatchObject({ kept: { young: 1 } });
    expect(await clean(clockAt(400 * DAY, 9000, 'boot-2'))).toMatchObject({ kept: { young: 1 } });
    // What has passed while the machine was up counts.
    expect((await clean(clockAt(400 * DAY, 60 + 14 * DAY, 'boot-2'))).deleted).toEqual([id]);
  });

  it('keeps one whose record says old while its directory is new, and the other way round', async () => {
    const root = temporaryDirectory();
    const id = await archived(root, 'copied-run');
    const meta = join(archivePath(root, id), 'meta.json');
    const record: Record<string, unknown> = JSON.parse(readFileSync(meta, 'utf8'));
    const rewrite = (end: string) => {
      rmSync(meta);
      writeFileSync(meta, JSON.stringify({ ...record, end_timestamp: end, uptime: null }));
    };
    rewrite('2001-01-01T00:00:00.000Z');
    expect((await cleanArchives(root, { dryRun: false })).kept.young).toBe(1);
    rewrite(new Date().toISOString());
    utimesSync(join(archivePath(root, id), 'run'), 1e9, 1e9);
    expect((await cleanArchives(root, { dryRun: false })).kept.young).toBe(1);
    rewrite('2001-01-01T00:00:00.000Z');
    expect((await cleanArchives(root, { dryRun: false })).deleted).toEqual([id]);
  });

  it('does not touch what it cannot read', async () => {
    const root = temporaryDirectory();
    const id = await archived(root, 'odd-run');
    rmSync(join(archivePath(root, id), 'meta.json'));
    const clock = clockAt(999 * DAY, null);
    expect(await cleanArchives(root, { dryRun: false, clock })).toMatchObject({
      deleted: [],
      kept: { unreadable: 1 },
    });
    expect(existsSync(archivePath(root, id))).toBe(true);
  });

  it('is skipped while another one works, and says who; a dead one is replaced', async () => {
    const root = temporaryDirectory();
    const id = await archived(root, 'old-run');
    const clock = clockAt(15 * DAY, 15 * DAY);
    const path = join(root, '.rlm/locks/cleanup.lock');
    const other = acquireLock(path, 'cleaning archives');
    const skipped = await cleanArchives(root, { dryRun: false, clock });
    expect(skipped).toMatchObject({ deleted: [], skipped: expect.stringContaining(`pid ${process.pid}`) });
    other.release();
    mkdirSync(path);
    const dead = {
      ...ownIdentity(),
      start: 'gone',
      token: 'tttttttt',
      acquired_at: new Date().toISOString(),
      purpose: 'p',
    };
    writeFileSync(join(path, 'first.json'), JSON.stringify(dead));
    const result = await cleanArchives(root, { dryRun: false, clock });
    expect(result).toMatchObject({
      deleted: [id],
      skipped: null,
      replaced_dead_holder: { token: 'tttttttt' },
    });
    expect(existsSync(path)).toBe(false);
  });

  it('is skipped when something else is where its lock should be, and the archive is made all the same', async () => {
    const root = temporaryDirectory();
    await archived(root, 'old-run');
    for (const [runId, make] of [
      ['run-1', (path: string) => writeFileSync(path, '')],
      ['run-2', (path: string) => place(join(path, '.DS_Store'), '')],
    ] as const) {
      const lock = join(root, '.rlm/locks/cleanup.lock');
      rmSync(lock, { recursive: true, force: true });
      make(lock);
      createRun(root, { kind: 'batch', title: 't', runId });
      const { cleanup } = await archiveRun(root, runId, { terminationReason: 'done', ttlDays: 14 });
      expect(cleanup).toMatchObject({ deleted: [], skipped: expect.stringContaining('cleanup.lock') });
    }
    expect(listArchiveIds(root)).toHaveLength(3);
  });

  it('keeps what is marked in use at the very moment it is judged, and what it took by then cannot be marked', async () => {
    // The clock is read after the marks were: first for the cleanup, then for each judgement.
    for (const [look, kept] of [
      [2, true],
      [3, false],
    ] as const) {
      const root = temporaryDirectory();
      const id = await archived(root, 'old-run');
      let looks = 0;
      let error: unknown;
      const given = clockAt(15 * DAY, 15 * DAY);
      const clock: Clock = {
        now: given.now,
        uptime() {
          looks += 1;
          try {
            if (looks === look) markInUse(root, id, 'other-run');
          } catch (thrown) {
            error = thrown;
          }
          return given.uptime();
        },
      };
      const { deleted } = await cleanArchives(root, { dryRun: false, clock });
      expect([look, deleted, listArchiveIds(root)]).toEqual([look, kept ? [] : [id], kept ? [id] : []]);
      if (kept) expect([error, inUseBy(archivePath(root, id))]).toEqual([undefined, ['other-run']]);
      else expect(error).toMatchObject({ code: 'not_found' });
    }
  });

  it('finishes or takes back what a dead cleanup was about to delete', async () => {
    const root = temporaryDirectory();
    const hide = (id: string) =>
      renameSync(archivePath(root, id), join(root, '.rlm/archive', `.deleting-${id}`));
    const expired = await archived(root, 'expired-run');
    const marked = await archived(root, 'marked-run');
    const half = await archived(root, 'half-run');
    markInUse(root, marked, 'other-run');
    for (const id of [expired, marked, half]) hide(id);
    rmSync(join(root, '.rlm/archive', `.deleting-${half}`, 'meta.json'));
    const result = await cleanArchives(root, { dryRun: false, clock: clockAt(15 * DAY, 15 * DAY) });
    expect(result.deleted.sort()).toEqual([expired, half].sort());
    expect(listArchiveIds(root)).toEqual([marked]);
  });

  it('removes a snapshot that nobody will finish, not one that somebody works on', async () => {
    const root = temporaryDirectory();
    await archived(root, 'some-run');
    for (const id of ['dead-run', 'live-run'])
      mkdirSync(join(root, `.rlm/archive/.building-${id}/run`), { recursive: true });
    const holder = acquireLock(join(root, '.rlm/locks/live-run.lock'), 'archiving');
    await cleanArchives(root, { dryRun: false });
    expect(existsSync(join(root, '.rlm/archive/.building-dead-run'))).toBe(false);
    expect(existsSync(join(root, '.rlm/archive/.building-live-run'))).toBe(true);
    holder.release();
  });
});
