import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createRun,
  listRunIds,
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

/** A run that was made at a time. */
function made(root: string, runId: string, time: Date): void {
  const { dir, record } = createRun(root, { ...batch, runId });
  writeFileSync(join(dir, 'run.json'), JSON.stringify({ ...record, created_at: time.toISOString() }));
}

describe('the list of runs', () => {
  it('is by time, whatever the runs are called, also within one second', () => {
    const root = temporaryDirectory();
    const at = (milliseconds: number) => new Date(Date.UTC(2026, 10, 20, 14, 3, 5) + milliseconds);
    made(root, 'long1', at(-86_400_000));
    made(root, newRunId(at(-5000)).replace(/.{8}$/, 'zzzzzzzz'), at(-5000));
    made(root, '20261120-140305-zzzzzzzz', at(100));
    made(root, '20261120-140305-aaaaaaaa', at(900));
    made(root, 'a-run-of-today', at(500));
    const ids = [
      '20261120-140305-aaaaaaaa',
      'a-run-of-today',
      '20261120-140305-zzzzzzzz',
      '20261120-140300-zzzzzzzz',
      'long1',
    ];
    expect(listRunIds(root)).toEqual(ids);
    const { runs, next_cursor } = listRuns(root, { limit: 2 });
    expect(runs.map(({ run_id }) => run_id)).toEqual(ids.slice(0, 2));
    const rest = listRuns(root, { limit: 10, cursor: next_cursor ?? undefined });
    expect(rest.runs.map(({ run_id }) => run_id)).toEqual(ids.slice(2));
    expect(() => listRuns(root, { limit: 2, cursor: 'run-of-nowhere' })).toThrow(/is not one of this list/);
  });

  it('shows only runs in a state, or of a kind, when asked for those', () => {
    const root = temporaryDirectory();
    for (const [runId, kind] of [
      ['one', 'ask'],
      ['two', 'batch'],
      ['three', 'ask'],
      ['four', 'ask'],
    ] as const)
      createRun(root, { kind, title: 't', runId: `run-${runId}` });
    expect(listRuns(root, { limit: 10, kind: 'batch' }).runs.map(({ run_id }) => run_id)).toEqual([
      'run-two',
    ]);
    expect(listRuns(root, { limit: 10, state: 'completed' }).runs).toEqual([]);
    const page = listRuns(root, { limit: 2, kind: 'ask', state: 'idle' });
    const rest = listRuns(root, {
      limit: 2,
      kind: 'ask',
      state: 'idle',
      cursor: page.next_cursor ?? undefined,
    });
    expect([page.runs.length, rest.runs.length, rest.next_cursor]).toEqual([2, 1, null]);
  });

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
    const madeAt = (runId: string, second: number) =>
      made(root, runId, new Date(Date.UTC(2026, 10, 20, 14, 3, second)));
    madeAt('good', 1);
    madeAt('bad-run', 2);
    madeAt('bad-activity', 3);
    const file = (...parts: string[]) => join(root, '.rlm', 'runs', ...parts);
    writeFileSync(file('bad-run', 'run.json'), '{');
    writeFileSync(file('bad-activity', 'activity.json'), 'null');
    mkdirSync(file('no-run'));
    writeFileSync(file('a-file'), '');
    expect(listRuns(root, { limit: 10 }).runs.map(({ run_id, state }) => [run_id, state])).toEqual([
      ['bad-activity', 'unreadable'],
      ['good', 'idle'],
      // Nobody knows when it was made.
      ['bad-run', 'unreadable'],
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
