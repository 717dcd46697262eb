import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ArchivedTo, ArchiveMeta } from '../../src/contracts/index.ts';
import {
  type ArchiveOptions,
  archiveRun,
  createRun,
  listArchives,
  lockDriver,
  orchestratorLock,
  type RunHandle,
  releaseAllOrchestratorLocks,
} from '../../src/runs/index.ts';
import { place, temporaryDirectory } from '../support/runs.ts';
import { bundleEntry, startRacer } from './processes.ts';

const OPTIONS: ArchiveOptions = { terminationReason: 'done', ttlDays: 14 };

/** A finished plan run: two reports, of which `final.json` cites one, and something heavy. */
function finishedRun(root: string, runId = 'run-1'): RunHandle {
  onTestFinished(releaseAllOrchestratorLocks);
  const run = createRun(root, { kind: 'plan', title: 'Find out', runId });
  const write = (path: string, text: string) => {
    mkdirSync(join(run.dir, path, '..'), { recursive: true });
    writeFileSync(join(run.dir, path), text);
  };
  write('plan.json', '{}');
  write('deferred.json', '{}');
  write('artifacts/reports/a.md', 'cited\n');
  write('artifacts/reports/b.md', 'not cited\n');
  write('artifacts/logs/a.log', 'x'.repeat(100_000));
  write('out/answer.json', JSON.stringify({ citations: [{ claim_id: 'c', sources: ['inputs/x.txt:1-2'] }] }));
  write('inputs/x.txt', 'one\ntwo\n');
  write(
    'final.json',
    JSON.stringify({ evidence_paths: [`.rlm/runs/${runId}/artifacts/reports/a.md:1`, 'src/x.ts'] }),
  );
  mkdirSync(join(run.dir, 'empty'));
  return run;
}

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

/** Every archive forces its records to the disk, which a busy machine may take long to do. */
describe('an archive', { timeout: 120_000 }, () => {
  it('is a read-only copy with a sha256 of every file; the run keeps pointers, finals and their evidence', async () => {
    const root = temporaryDirectory();
    const run = finishedRun(root);
    const before = new Map(filesOf(run.dir).map((path) => [path, readFileSync(join(run.dir, path))]));
    const result = await archiveRun(root, 'run-1', OPTIONS);
    expect(filesOf(join(result.path, 'run'))).toEqual([...before.keys()]);
    const meta = ArchiveMeta.parse(JSON.parse(readFileSync(join(result.path, 'meta.json'), 'utf8')));
    for (const { path, sha256, size_bytes } of meta.files) {
      const copy = join(result.path, 'run', path);
      expect(readFileSync(copy)).toEqual(before.get(path));
      expect(createHash('sha256').update(readFileSync(copy)).digest('hex')).toBe(sha256);
      expect(statSync(copy).size).toBe(size_bytes);
      expect(statSync(copy).mode & 0o777).toBe(0o400);
    }
    expect(meta).toMatchObject({
      run_id: 'run-1',
      goal_summary: 'Find out',
      start_timestamp: run.record.created_at,
      termination_reason: 'done',
      retention: { ttl_days: 14, keep_forever: false, size_bytes: result.size_bytes },
      evidence_files: ['artifacts/reports/a.md', 'inputs/x.txt'],
    });
    expect(readdirSync(join(result.path, 'in_use_by'))).toEqual([]);
    expect(filesOf(run.dir)).toEqual([
      'archived_to.json',
      'artifacts/reports/a.md',
      'deferred.json',
      'final.json',
      'inputs/x.txt',
      'out/answer.json',
      'plan.json',
      'run.json',
    ]);
    expect(existsSync(join(run.dir, 'artifacts/logs'))).toBe(false);
    const pointer = ArchivedTo.parse(JSON.parse(readFileSync(join(run.dir, 'archived_to.json'), 'utf8')));
    expect(join(root, pointer.path)).toBe(result.path);
    expect(pointer.trimmed_at).not.toBeNull();
    expect(orchestratorLock(root, 'run-1')).toBeUndefined();
    await expect(archiveRun(root, 'run-1', OPTIONS)).rejects.toThrow(/archived already, as run-1-/);
  });

  it('is refused while a driver works on the run, and nothing is left of the attempt', async () => {
    const root = temporaryDirectory();
    const run = finishedRun(root);
    const driver = lockDriver(run.dir, 'a map stage');
    const before = filesOf(run.dir);
    await expect(archiveRun(root, 'run-1', OPTIONS)).rejects.toThrow(/a map stage/);
    expect(filesOf(run.dir)).toEqual(before);
    expect(existsSync(join(root, '.rlm/archive'))).toBe(false);
    expect(orchestratorLock(root, 'run-1')).toBeUndefined();
    driver.release();
    await archiveRun(root, 'run-1', OPTIONS);
  });

  it('of a plan run without its finals is refused unless asked for', async () => {
    const root = temporaryDirectory();
    const run = finishedRun(root);
    rmSync(join(run.dir, 'final.json'));
    await expect(archiveRun(root, 'run-1', OPTIONS)).rejects.toThrow(/not finished: it has no final.json/);
    await archiveRun(root, 'run-1', { ...OPTIONS, unfinished: true });
  });

  it('leaves out symlinks, says so, and does not remove them', async () => {
    const root = temporaryDirectory();
    const run = finishedRun(root);
    symlinkSync('/etc/passwd', join(run.dir, 'link'));
    const result = await archiveRun(root, 'run-1', OPTIONS);
    expect(result.skipped).toEqual(['link']);
    expect(existsSync(join(result.path, 'run/link'))).toBe(false);
    expect(readdirSync(run.dir)).toContain('link');
  });

  it('is taken up where a dead archiver left it: before the rename, before the pointer, in the trimming', async () => {
    const root = temporaryDirectory();
    const run = finishedRun(root);
    const all = filesOf(run.dir);
    const building = join(root, '.rlm/archive/.building-run-1');
    mkdirSync(join(building, 'run'), { recursive: true });
    writeFileSync(join(building, 'run/half'), 'h');
    const first = await archiveRun(root, 'run-1', OPTIONS);
    expect(existsSync(building)).toBe(false);
    expect(first.resumed).toBe(false);

    // As if it had died right after the rename: the whole run is there, with a pointer that is not final.
    const pointer = ArchivedTo.parse(JSON.parse(readFileSync(join(run.dir, 'archived_to.json'), 'utf8')));
    const unfinished = JSON.stringify({ ...pointer, trimmed_at: null });
    for (const path of all) {
      const file = join(run.dir, path);
      if (existsSync(file)) continue;
      mkdirSync(join(file, '..'), { recursive: true });
      renameCopy(join(first.path, 'run', path), file);
    }
    writeFileSync(join(run.dir, 'archived_to.json'), unfinished);
    const second = await archiveRun(root, 'run-1', OPTIONS);
    expect(second).toMatchObject({ archive_id: first.archive_id, resumed: true });

    // As if it had died before the rename: there is a pointer, and no archive.
    writeFileSync(
      join(run.dir, 'archived_to.json'),
      unfinished.replaceAll(first.archive_id, 'run-1-20200101T000000000Z'),
    );
    rmSync(first.path, { recursive: true });
    const anew = await archiveRun(root, 'run-1', OPTIONS);
    expect(anew.resumed).toBe(false);

    // As if it had died in the trimming.
    writeFileSync(
      join(run.dir, 'archived_to.json'),
      unfinished.replaceAll(first.archive_id, anew.archive_id),
    );
    renameCopy(join(anew.path, 'run/final.json'), join(run.dir, 'final.json'));
    const last = await archiveRun(root, 'run-1', OPTIONS);
    expect(last).toMatchObject({ archive_id: anew.archive_id, resumed: true });
    expect(listArchives(root, { limit: 10 }).total).toBe(1);
  });

  it('leaves in the run what changed after the snapshot was made', async () => {
    const root = temporaryDirectory();
    const run = finishedRun(root);
    const report = join(run.dir, 'artifacts/reports/b.md');
    const first = await archiveRun(root, 'run-1', OPTIONS);
    // Its maker died before the trimming, and somebody wrote a report anew.
    const pointer: Record<string, unknown> = JSON.parse(
      readFileSync(join(run.dir, 'archived_to.json'), 'utf8'),
    );
    writeFileSync(join(run.dir, 'archived_to.json'), JSON.stringify({ ...pointer, trimmed_at: null }));
    place(report, 'rewritten since');
    const again = await archiveRun(root, 'run-1', OPTIONS);
    expect(again).toMatchObject({ archive_id: first.archive_id, resumed: true });
    expect(readFileSync(report, 'utf8')).toBe('rewritten since');
    expect(readFileSync(join(first.path, 'run/artifacts/reports/b.md'), 'utf8')).not.toBe('rewritten since');
  });

  it('is not taken for good when what it holds was changed before the trimming', async () => {
    const root = temporaryDirectory();
    const run = finishedRun(root);
    const { path } = await archiveRun(root, 'run-1', OPTIONS);
    const pointer: Record<string, unknown> = JSON.parse(
      readFileSync(join(run.dir, 'archived_to.json'), 'utf8'),
    );
    writeFileSync(join(run.dir, 'archived_to.json'), JSON.stringify({ ...pointer, trimmed_at: null }));
    rmSync(join(path, 'run/artifacts/reports/b.md'));
    writeFileSync(join(path, 'run/artifacts/reports/b.md'), 'other');
    await expect(archiveRun(root, 'run-1', OPTIONS)).rejects.toThrow(/changed after it was archived/);
  });

  it('is whole and alone, at whatever instants its makers are killed', async () => {
    const root = temporaryDirectory();
    const run = finishedRun(root);
    const contents = new Map<string, string>();
    for (let n = 0; n < 300; n += 1) {
      writeFileSync(join(run.dir, `artifacts/reports/r${n}.md`), `${n}`.repeat(5000));
    }
    for (const path of filesOf(run.dir)) contents.set(path, readFileSync(join(run.dir, path), 'utf8'));
    const entry = bundleEntry(root);
    for (let kill = 0; kill < 8; kill += 1) {
      const racer = await startRacer(entry, ['archive', root, 'run-1']);
      racer.go();
      // The instants differ with the machine; every one must do.
      const done = await Promise.race([racer.line(), delay(kill * 12).then(() => undefined)]);
      racer.child.kill('SIGKILL');
      await racer.end();
      if (done !== undefined) break;
    }
    const last = await archiveRun(root, 'run-1', OPTIONS).catch((error: unknown) => String(error));
    if (typeof last === 'string') expect(last).toMatch(/archived already/);
    const { archives } = listArchives(root, { limit: 10 });
    expect(archives).toHaveLength(1);
    const copy = join(root, '.rlm/archive', archives[0]?.archive_id ?? '', 'run');
    expect(filesOf(copy)).toEqual([...contents.keys()].sort());
    for (const [path, text] of contents) expect(readFileSync(join(copy, path), 'utf8')).toBe(text);
    expect(filesOf(run.dir)).toContain('archived_to.json');
    expect(existsSync(join(run.dir, 'artifacts/reports/r1.md'))).toBe(false);
    expect(readdirSync(join(root, '.rlm/archive'))).toHaveLength(1);
  });

  it('shows in a list that pages', async () => {
    const root = temporaryDirectory();
    for (const id of ['run-1', 'run-2', 'run-3']) {
      finishedRun(root, id);
      await archiveRun(root, id, OPTIONS);
    }
    const page = listArchives(root, { limit: 2 });
    expect(page.archives.map((item) => item.run_id)).toEqual(['run-3', 'run-2']);
    const rest = listArchives(root, { limit: 2, cursor: page.next_cursor ?? undefined });
    expect(rest.archives.map((item) => item.run_id)).toEqual(['run-1']);
    expect(rest.next_cursor).toBeNull();
  });
});

/** A copy with the time of the original, as the file was before it was trimmed. */
function renameCopy(from: string, to: string): void {
  const bytes = readFileSync(from);
  const { atime, mtime } = statSync(from);
  writeFileSync(`${to}.new`, bytes);
  utimesSync(`${to}.new`, atime, mtime);
  renameSync(`${to}.new`, to);
}
