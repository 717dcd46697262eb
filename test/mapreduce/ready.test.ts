import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TaskInput } from '../../src/contracts/index.ts';
import { ownIdentity } from '../../src/files/index.ts';
import {
  lineage,
  type PlanResult,
  type ReadyOptions,
  readTaskStates,
  readyTasks,
  retryTask,
  revisePlan,
} from '../../src/mapreduce/index.ts';
import {
  ACCEPTED,
  deadProcess,
  inflightLog,
  plannedRun,
  reportWith,
  temporaryRoot,
  writeReport,
} from './fixture.ts';

const task = (worker_id: string, more: Partial<TaskInput> = {}): TaskInput => ({
  worker_id,
  goal: 'g',
  ...more,
});

function ready(root: string, planned: PlanResult, options: Partial<ReadyOptions> = {}) {
  const { plan, state } = readTaskStates(root, planned.run);
  const result = readyTasks(plan, state, { stage: 'map', ...options });
  return {
    ids: result.ready.map((t) => t.worker_id),
    why: Object.fromEntries(result.waiting.map((w) => [w.worker_id, w.reason])),
    detail: Object.fromEntries(result.waiting.map((w) => [w.worker_id, w.detail])),
  };
}

describe('ready tasks', () => {
  it('are those whose dependencies have an accepted report; every other one says why not', () => {
    const root = temporaryRoot();
    const planned = plannedRun(root, {
      tasks: [
        task('a'),
        task('b'),
        task('c', { depends_on: ['a', 'b'] }),
        task('join-0001', { depends_on: ['a'] }),
        task('verify-0001', { mode: 'verify' }),
      ],
    });
    expect(ready(root, planned)).toMatchObject({
      ids: ['a', 'b'],
      why: { c: 'dependency', 'join-0001': 'dependency', 'verify-0001': 'stage' },
      detail: { c: 'a (missing), b (missing)' },
    });
    writeReport(root, planned.plan, 'a', reportWith('r'));
    expect(ready(root, planned)).toMatchObject({
      ids: ['b'],
      why: { a: 'done', c: 'dependency', 'join-0001': 'join_gate' },
    });
    expect(ready(root, planned, { allowJoin: true }).ids).toEqual(['b', 'join-0001']);
    writeReport(root, planned.plan, 'b', '');
    expect(ready(root, planned).detail.c).toBe('b (empty)');
    expect(ready(root, planned, { stage: 'verify' }).ids).toEqual(['verify-0001']);
  });

  it('are held back while any worker is in flight, unless refilling is allowed, and then up to the cap', () => {
    const root = temporaryRoot();
    const planned = plannedRun(root, { tasks: Array.from({ length: 8 }, (_, n) => task(`t-${n}`)) });
    expect(ready(root, planned).ids).toEqual(['t-0', 't-1', 't-2', 't-3']);
    expect(ready(root, planned).why['t-4']).toBe('cap');
    inflightLog(planned).started('t-0', 1, 'log', ownIdentity());
    expect(ready(root, planned)).toMatchObject({
      ids: [],
      why: { 't-0': 'inflight', 't-1': 'inflight_gate' },
    });
    expect(ready(root, planned, { allowRefill: true }).ids).toEqual(['t-1', 't-2', 't-3']);
    expect(ready(root, planned, { allowRefill: true, maxInflight: 1 }).ids).toEqual([]);
    expect(ready(root, planned, { allowRefill: true, maxInflight: 100 }).ids).toHaveLength(7);
  });

  it('count what was handed to a driver and is not launched yet as in flight', () => {
    const root = temporaryRoot();
    const planned = plannedRun(root, {
      budget: { max_workers: 3 },
      tasks: [task('a'), task('b'), task('c'), task('d')],
    });
    const pending = new Set(['a', 'b']);
    expect(ready(root, planned, { pending })).toMatchObject({
      ids: [],
      why: { a: 'inflight', c: 'inflight_gate' },
    });
    expect(ready(root, planned, { pending, allowRefill: true, maxInflight: 2 })).toMatchObject({
      ids: [],
      why: { b: 'inflight', c: 'cap', d: 'cap' },
    });
    expect(ready(root, planned, { pending, allowRefill: true })).toMatchObject({
      ids: ['c'],
      why: { d: 'budget' },
    });
  });

  it('end where budget.max_workers ends', () => {
    const root = temporaryRoot();
    const planned = plannedRun(root, {
      budget: { max_workers: 2 },
      tasks: [task('a'), task('b'), task('c')],
    });
    expect(ready(root, planned)).toMatchObject({ ids: ['a', 'b'], why: { c: 'budget' } });
  });

  it('never include one that was launched and failed: it is retried under a new id, with its lineage', () => {
    const root = temporaryRoot();
    const planned = plannedRun(root, {
      tasks: [task('a', { owned_paths: ['x'] }), task('b', { depends_on: ['a'] })],
    });
    const log = inflightLog(planned, deadProcess());
    log.started('a', 1, 'log', deadProcess());
    expect(ready(root, planned)).toMatchObject({ ids: [], why: { a: 'failed', b: 'dependency' } });

    const look = () => readTaskStates(root, planned.run);
    const retry = retryTask(look().plan, look().state, 'a', { computeTier: 'heavy' });
    expect(retry).toMatchObject({
      worker_id: 'a-r1',
      retry_of: 'a',
      compute_tier: 'heavy',
      owned_paths: ['x'],
    });
    revisePlan(root, 'run-1', { tasks: [retry] }, { inputRoots: [] });
    expect(ready(root, planned)).toMatchObject({ ids: ['a-r1'], why: { a: 'retried' } });
    expect(() => retryTask(look().plan, look().state, 'a')).toThrow(/retried already, by a-r1/);
    expect(() => retryTask(look().plan, look().state, 'nobody')).toThrow(/no task 'nobody'/);

    log.started('a-r1', 1, 'log');
    log.ended('a-r1', { ...ACCEPTED, exit_code: 1, failure_class: 'timeout' });
    const second = retryTask(look().plan, look().state, 'a-r1');
    expect(second.worker_id).toBe('a-r2');
    const { plan } = revisePlan(root, 'run-1', { tasks: [second] }, { inputRoots: [] });
    expect(lineage(plan, 'a-r2')).toEqual(['a', 'a-r1', 'a-r2']);
    writeReport(root, plan, 'a-r2', reportWith('r'));
    expect(() => retryTask(look().plan, look().state, 'a-r2')).toThrow(/has an accepted report/);
    expect(ready(root, planned)).toMatchObject({
      ids: ['b'],
      why: { a: 'retried', 'a-r1': 'retried', 'a-r2': 'done' },
    });
  });

  it('wait for every part of a task that was split', () => {
    const root = temporaryRoot();
    const planned = plannedRun(root, {
      tasks: [
        task('a'),
        task('b', { depends_on: ['a'] }),
        task('a-left', { retry_of: 'a' }),
        task('a-right', { retry_of: 'a' }),
      ],
    });
    writeReport(root, planned.plan, 'a-left', reportWith('r'));
    expect(ready(root, planned).why.b).toBe('dependency');
    writeReport(root, planned.plan, 'a-right', reportWith('r'));
    expect(ready(root, planned).ids).toEqual(['b']);
  });
});

describe('40 tasks in a diamond', () => {
  it('runs to its end through a death, an empty report, a hang and a stale report', () => {
    const root = temporaryRoot();
    const middle = Array.from({ length: 38 }, (_, n) => task(`map-${n}`, { depends_on: ['map-top'] }));
    const planned = plannedRun(root, {
      tasks: [task('map-top'), ...middle, task('join-end', { depends_on: middle.map((t) => t.worker_id) })],
    });
    const states = (id: string, now = new Date()) => {
      const { state } = readTaskStates(root, planned.run, { now });
      const found = state.tasks.find((t) => t.worker_id === id);
      return found === undefined
        ? ''
        : `${found.state}${found.failure_class === null ? '' : ` ${found.failure_class}`}`;
    };
    const launches = new Map<string, number>();
    const trouble: Record<string, 'dies' | 'empty' | 'hangs' | 'stale'> = {
      'map-3': 'dies',
      'map-7': 'empty',
      'map-11': 'hangs',
      'map-30': 'stale',
    };
    let rounds = 0;
    for (;;) {
      const { plan } = readTaskStates(root, planned.run);
      const batch = ready(root, planned, { maxInflight: 6, allowJoin: true }).ids;
      if (batch.length === 0) break;
      rounds += 1;
      expect(batch.length).toBeLessThanOrEqual(6);
      for (const id of batch) launches.set(id, (launches.get(id) ?? 0) + 1);
      if (batch.includes('join-end')) expect(launches.size).toBe(44);
      const alive = inflightLog(planned);
      for (const id of batch) {
        if (trouble[id] === 'stale') writeReport(root, plan, id, 'of another day', 3600);
        alive.started(id, 1, `artifacts/logs/${id}.jsonl`, ownIdentity());
      }
      for (const id of batch) expect(states(id)).toBe('inflight');
      expect(ready(root, planned, { maxInflight: 6, allowJoin: true }).ids).toEqual([]);
      for (const id of batch) {
        if (trouble[id] === 'hangs') {
          expect(states(id, new Date(Date.now() + 1_201_000))).toBe('stale');
          alive.ended(id, { ...ACCEPTED, exit_code: null, failure_class: 'timeout' });
        } else if (trouble[id] === 'dies') {
          // The driver died with it: nobody recorded the end.
          inflightLog(planned, deadProcess()).started(id, 1, 'log', deadProcess());
        } else if (trouble[id] === 'empty') {
          writeReport(root, plan, id, '\n');
          alive.ended(id, { ...ACCEPTED, failure_class: 'invalid_output' });
        } else if (trouble[id] === 'stale') alive.ended(id, { ...ACCEPTED, failure_class: 'invalid_output' });
        else {
          writeReport(root, plan, id, reportWith('# report'));
          alive.ended(id, ACCEPTED);
        }
        const expected = {
          dies: 'failed crashed',
          empty: 'empty invalid_output',
          hangs: 'failed timeout',
          stale: 'stale invalid_output',
        };
        const kind = trouble[id];
        if (kind === 'dies') {
          // `alive` rewrites the file from its own memory: a real driver is the only writer.
          expect(states(id)).toBe(expected[kind]);
          inflightLog(planned).ended(id, { ...ACCEPTED, exit_code: null, failure_class: 'crashed' });
          alive.ended(id, { ...ACCEPTED, exit_code: null, failure_class: 'crashed' });
        }
        expect(states(id)).toBe(kind === undefined ? 'ok' : expected[kind]);
        if (kind !== undefined) {
          const { plan: now, state } = readTaskStates(root, planned.run);
          revisePlan(root, 'run-1', { tasks: [retryTask(now, state, id)] }, { inputRoots: [] });
        }
      }
    }
    const { plan, state } = readTaskStates(root, planned.run);
    expect(state.counts).toEqual({
      ok: 40,
      changed: 0,
      missing: 0,
      empty: 1,
      stale: 1,
      inflight: 0,
      failed: 2,
    });
    expect(state.tasks.every((t) => t.satisfied)).toBe(true);
    expect([...launches.values()].every((n) => n === 1)).toBe(true);
    for (const id of Object.keys(trouble)) expect(lineage(plan, `${id}-r1`)).toEqual([id, `${id}-r1`]);
    expect(rounds).toBe(Math.ceil(42 / 6) + 2);
  });
});

it('a worker that outlives its driver counts as running until it ends', () => {
  const root = temporaryRoot();
  const planned = plannedRun(root, { tasks: [task('a')] });
  inflightLog(planned, deadProcess()).started('a', 1, 'log', ownIdentity());
  expect(ready(root, planned).why.a).toBe('inflight');
  inflightLog(planned, deadProcess()).started('a', 2, 'log', deadProcess());
  expect(ready(root, planned).why.a).toBe('failed');
});

it('an inflight file that is damaged is an error, not an empty list', () => {
  const root = temporaryRoot();
  const planned = plannedRun(root, { tasks: [task('a')] });
  const file = join(planned.run.dir, 'artifacts/scheduler/inflight.json');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '{"workers":');
  expect(() => ready(root, planned)).toThrow(/inflight\.json/);
});
