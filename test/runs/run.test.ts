import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createRun,
  listRuns,
  lockDriver,
  newRunId,
  openRun,
  openRunDirectory,
  requireNoDriver,
} from '../../src/runs/index.ts';
import { temporaryDirectory } from '../support/runs.ts';

const batch = { kind: 'batch', title: 't' } as const;

describe('a run', () => {
  it('is created under .rlm, which git ignores, and opened by its id', () => {
    const root = temporaryDirectory();
    const run = createRun(root, { ...batch, runId: 'my-run.1' });
    expect(run.dir).toBe(join(root, '.rlm', 'runs', 'my-run.1'));
    expect(readFileSync(join(root, '.rlm', '.gitignore'), 'utf8')).toBe('*\n');
    expect(openRun(root, 'my-run.1').record).toEqual(run.record);
    expect(() => createRun(root, { ...batch, runId: 'my-run.1' })).toThrow("run 'my-run.1' exists already");
  });

  it.each(['..', 'a/b', 'A-b', 'ab', '.abc', 'x'.repeat(65), 'a..b', ''])(
    'is refused with the id %j',
    (runId) => {
      const root = temporaryDirectory();
      expect(() => createRun(root, { ...batch, runId })).toThrow('run_id');
      expect(existsSync(join(root, '.rlm'))).toBe(false);
    },
  );

  it('is never reached through a symlink', () => {
    const root = temporaryDirectory();
    const elsewhere = temporaryDirectory();
    const run = createRun(root, batch);
    symlinkSync(run.dir, join(root, '.rlm', 'runs', 'alias'));
    expect(() => openRun(root, 'alias')).toThrow('is a symlink');
    symlinkSync(elsewhere, join(elsewhere, '.rlm'));
    expect(() => createRun(elsewhere, batch)).toThrow('is a symlink');
  });

  it('of a newer version is refused and left as it is', () => {
    const root = temporaryDirectory();
    const { dir, id, record } = createRun(root, batch);
    const newer = JSON.stringify({ ...record, schema_version: 2, mood: 'good' });
    writeFileSync(join(dir, 'run.json'), newer);
    expect(() => openRun(root, id)).toThrow('has schema_version 2; this rlm reads up to 1');
    expect(readFileSync(join(dir, 'run.json'), 'utf8')).toBe(newer);
  });

  it('gets ids that sort by time', () => {
    const ids = [0, 1000, 60_000, 86_400_000].map((later) =>
      newRunId(new Date(Date.UTC(2026, 10, 20) + later)),
    );
    expect([...ids].sort()).toEqual(ids);
    for (const id of ids) expect(id).toMatch(/^\d{8}-\d{6}-[0-9a-z]{8}$/);
  });
});

describe('the list of runs', () => {
  it('comes in pages, the newest first, and passes over what is no run', () => {
    const root = temporaryDirectory();
    expect(listRuns(root, { limit: 10 })).toEqual({ runs: [], total: 0, next_cursor: null });
    for (let i = 0; i < 25; i += 1) createRun(root, { ...batch, runId: `run-${String(i).padStart(2, '0')}` });
    mkdirSync(join(root, '.rlm', 'runs', 'not-a-run'));
    const seen: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 10; page += 1) {
      const { runs, next_cursor } = listRuns(root, { limit: 10, cursor });
      seen.push(...runs.map(({ run_id }) => run_id));
      if (next_cursor === null) break;
      cursor = next_cursor;
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => `run-${String(24 - i).padStart(2, '0')}`));
  });

  it('a damaged run is listed as unreadable among good ones, a directory without a run not at all', () => {
    const root = temporaryDirectory();
    for (const runId of ['good', 'bad-run', 'bad-activity'])
      createRun(root, { kind: 'batch', title: 't', runId });
    const file = (...parts: string[]) => join(root, '.rlm', 'runs', ...parts);
    writeFileSync(file('bad-run', 'run.json'), '{');
    writeFileSync(file('bad-activity', 'activity.json'), 'null');
    mkdirSync(file('no-run'));
    writeFileSync(file('a-file'), '');
    expect(listRuns(root, { limit: 10 }).runs.map(({ run_id, state }) => [run_id, state])).toEqual([
      ['good', 'idle'],
      ['bad-run', 'unreadable'],
      ['bad-activity', 'unreadable'],
    ]);
    expect(() => openRun(root, 'bad-run')).toThrow(
      expect.objectContaining({
        code: 'corrupt',
        hint: expect.objectContaining({ text: expect.stringContaining('move the directory') }),
      }),
    );
  });
});

it('that was copied is not taken for another', () => {
  const root = temporaryDirectory();
  const run = createRun(root, { ...batch, runId: 'first' });
  cpSync(run.dir, join(root, '.rlm', 'runs', 'second'), { recursive: true });
  expect(() => openRun(root, 'second')).toThrow("holds run 'first': it is a copy");
  expect(openRunDirectory(join(root, '.rlm', 'runs', 'second')).id).toBe('first');
});

describe('a driver', () => {
  it('on another host stands in the way, with the way out when that host is gone', () => {
    const run = createRun(temporaryDirectory(), batch);
    const lock = lockDriver(run.dir, 'driving');
    expect(() => requireNoDriver(run.dir)).toThrow(
      expect.objectContaining({
        hint: expect.objectContaining({ text: expect.not.stringContaining('take') }),
      }),
    );
    const file = join(run.dir, 'driver.lock', 'first.json');
    writeFileSync(file, JSON.stringify({ ...lock.holder, host: 'a-container-of-yesterday' }));
    expect(() => requireNoDriver(run.dir)).toThrow(
      expect.objectContaining({
        code: 'conflict',
        message: expect.stringContaining('on a-container-of-yesterday'),
        hint: expect.objectContaining({ text: expect.stringContaining(`gone for good, take the run over`) }),
      }),
    );
  });
});
