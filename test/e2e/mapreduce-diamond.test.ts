import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { Plan, PlanStatus, ReduceState } from '../../src/contracts/index.ts';
import { connectClient, textOf } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';
import { spawnedTasks, taskWorker } from '../support/task-worker.ts';

const Result = z.looseObject({
  run_id: z.string().optional(),
  run_dir: z.string().optional(),
  state: z.string().optional(),
  started: z.array(z.string()).optional(),
  lineage: z.array(z.string()).optional(),
});

/** Calls a tool and holds every result to the 8 kB and to silence about what reports say. */
async function call(client: Client, name: string, args: Record<string, unknown>) {
  const result = await client.callTool({ name, arguments: args });
  const text = textOf(result);
  expect(result.isError, text).not.toBe(true);
  expect(Buffer.byteLength(text)).toBeLessThan(8192);
  expect(text).not.toContain('SECRET-REPORT-TEXT');
  return Result.parse(JSON.parse(text));
}

/** Forty tasks: one, then twelve, then fourteen that need two of those each, then twelve, then a join. */
function diamond() {
  const number = (n: number) => String(n).padStart(2, '0');
  const layer = (name: string, size: number, more: (n: number) => string[], modes: Record<number, string>) =>
    Array.from({ length: size }, (_, index) => ({
      worker_id: `map-${name}${number(index + 1)}`,
      goal: `Look into ${name}${index + 1}. ${modes[index + 1] === undefined ? '' : `MODE=${modes[index + 1]}`}`,
      depends_on: more(index + 1),
    }));
  return [
    ...layer('a', 1, () => [], {}),
    ...layer('b', 12, () => ['map-a01'], { 3: 'die', 5: 'empty' }),
    ...layer('c', 14, (n) => [`map-b${number(((n - 1) % 12) + 1)}`, `map-b${number((n % 12) + 1)}`], {
      2: 'hang',
      7: 'stale',
    }),
    ...layer('d', 12, (n) => [`map-c${number(n)}`, `map-c${number(n + 2)}`], {}),
    {
      worker_id: 'join-0001',
      goal: 'Join it all.',
      depends_on: layer('d', 12, () => [], {}).map((t) => t.worker_id),
    },
  ];
}

test('a diamond of 40 tasks, with one that dies, one empty, one that hangs and one stale, ends', {
  timeout: 120_000,
}, async () => {
  const root = temporaryDirectory();
  const settings = { commands: { tasks: taskWorker(root) }, limits: { task_idle_timeout_sec: 5 } };
  place(join(root, '.rlm', 'config.json'), JSON.stringify(settings));
  const command = 'tasks';
  const client = await connectClient(root);
  const planned = await call(client, 'rlm_plan', { goal_summary: 'Forty looks', tasks: diamond() });
  const run_id = planned.run_id ?? '';
  const runDir = planned.run_dir ?? '';
  const state = (): Record<string, string> =>
    Object.fromEntries(
      ReduceState.parse(JSON.parse(readFileSync(join(runDir, 'reduce_state.json'), 'utf8'))).tasks.map(
        (task) => [
          task.worker_id,
          task.failure_class === null ? task.state : `${task.state}:${task.failure_class}`,
        ],
      ),
    );
  const stage = { run_id, command, max_inflight: 14, wait_sec: 0 };
  const ended = async () => {
    for (;;) {
      const report = await call(client, 'rlm_wait', { run_id });
      if (report.state !== 'working') return report;
    }
  };
  const board = async () => {
    const status = await client.callTool({ name: 'rlm_status', arguments: { run_id } });
    expect(Buffer.byteLength(textOf(status))).toBeLessThan(2500);
    return PlanStatus.parse(z.object({ run: z.looseObject({}) }).parse(status.structuredContent).run.tasks);
  };
  const round = async (more: Record<string, unknown> = {}) => {
    const ready = await call(client, 'rlm_run_ready', { ...stage, ...more });
    if (ready.started?.length) await ended();
    await call(client, 'rlm_reduce_inventory', { run_id });
    return ready.started ?? [];
  };

  expect(await round()).toEqual(['map-a01']);
  expect((await round()).length).toBe(12);
  expect(state()).toMatchObject({
    'map-b01': 'ok',
    'map-b03': 'failed:crashed',
    'map-b05': 'empty:invalid_output',
    'map-c01': 'missing',
  });
  expect((await board()).failed.map((row) => row.worker_id).sort()).toEqual(['map-b03', 'map-b05']);

  // Whoever needs only what is there goes on; c02, c03, c04, c05 and c14 wait for the two that failed.
  const third = await round();
  expect(third).not.toContain('map-c02');
  expect(third).toContain('map-c07');
  expect(state()['map-c07']).toBe('stale:invalid_output');

  // While others run, nothing is started unless that is asked for; a retry is.
  const retried = await call(client, 'rlm_spawn_worker', {
    ...{ run_id, command, wait_sec: 0 },
    ...{ retry_of: 'map-b03', goal: 'Look again. PAUSE=1500', compute_tier: 'heavy' },
  });
  expect(retried).toMatchObject({ started: ['map-b03-r1'], lineage: ['map-b03', 'map-b03-r1'] });
  await expect.poll(() => spawnedTasks(root)).toContain('map-b03-r1');
  const inflight = await board();
  expect(inflight.counts.inflight).toBe(1);
  expect(inflight.inflight[0]).toMatchObject({ worker_id: 'map-b03-r1', pid: expect.any(Number) });
  const held = await call(client, 'rlm_run_ready', stage);
  expect(held.started).toEqual([]);
  const refilled = await call(client, 'rlm_spawn_worker', {
    ...{ run_id, command, retry_of: 'map-b05', goal: 'Look again.' },
  });
  expect(refilled.started).toEqual(['map-b05-r1']);
  await ended();
  await call(client, 'rlm_reduce_inventory', { run_id });
  expect(state()).toMatchObject({ 'map-b03-r1': 'ok', 'map-b05-r1': 'ok' });

  // c02 hangs and is ended after its silence; its first retry is empty, the second is good.
  expect(await round()).toContain('map-c02');
  expect(state()['map-c02']).toBe('failed:timeout');
  const again = async (retry_of: string, goal: string) => {
    const result = await call(client, 'rlm_spawn_worker', { run_id, command, retry_of, goal, wait_sec: 0 });
    await ended();
    await call(client, 'rlm_reduce_inventory', { run_id });
    return result.lineage;
  };
  expect(await again('map-c07', 'Look again.')).toEqual(['map-c07', 'map-c07-r1']);
  await again('map-c02', 'Look again. MODE=empty');
  expect(await again('map-c02-r1', 'Look again.')).toEqual(['map-c02', 'map-c02-r1', 'map-c02-r2']);

  while ((await round()).length > 0);
  expect(state()['join-0001']).toBe('missing');
  expect(await round({ allow_join: true })).toEqual(['join-0001']);
  const end = await board();
  const plan = Plan.parse(JSON.parse(readFileSync(join(runDir, 'plan.json'), 'utf8')));
  expect(plan.tasks).toHaveLength(45);
  expect(end).toMatchObject({ total: 45, satisfied: 45, failed_total: 0, not_launched: 0 });
  // What was retried with success is no failure any more.
  expect(end.counts).toEqual({ ok: 40, changed: 0, stale: 0, inflight: 0, failed: 0 });
  const spawned = spawnedTasks(root);
  expect(spawned).toHaveLength(45);
  expect(new Set(spawned).size).toBe(45);
});
