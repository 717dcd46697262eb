import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ActivityRecord, InflightFile, PlanStatus } from '../../src/contracts/index.ts';
import { processStart } from '../../src/files/index.ts';
import { processesMarked } from '../support/marked-processes.ts';
import { BUNDLE, rlm } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';
import { spawnedTasks, taskWorker } from '../support/task-worker.ts';

const TASKS = 12;
const KILLS = 6;
const RUN = 'killed-run';

/** A seeded random source: a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const StatusResult = z.object({
  run: z.looseObject({ state: z.string(), driver: z.string(), tasks: PlanStatus }),
});

test('a plan whose driver, workers and orchestrator are killed again and again', {
  timeout: 180_000,
}, async () => {
  const next = random(20261121);
  const root = temporaryDirectory();
  const runDir = join(root, '.rlm', 'runs', RUN);
  const command = taskWorker(root).flatMap((part) => ['--command', part]);
  const tasks = Array.from({ length: TASKS }, (_, n) => ({
    worker_id: `map-${String(n + 1).padStart(4, '0')}`,
    goal: `Look. PAUSE=${200 + Math.round(next() * 500)}`,
  }));
  place(join(root, 'plan.json'), JSON.stringify({ goal_summary: 'Survive', tasks }));
  const planned = await rlm(['plan', '--run', RUN, '--file', 'plan.json', '--json'], { cwd: root });
  expect(planned.code, planned.stderr).toBe(0);

  const start = (...args: string[]): ChildProcess =>
    spawn(process.execPath, [BUNDLE, ...args], { cwd: root, stdio: 'ignore' });
  const runReady = () =>
    start('run-ready', '--run', RUN, '--max-inflight', '4', '--detach', '--json', ...command);
  const driverPid = (): number | undefined => {
    try {
      const text = readFileSync(join(runDir, 'activity.json'), 'utf8');
      return ActivityRecord.parse(JSON.parse(text)).driver?.pid;
    } catch {
      return undefined;
    }
  };
  const alive = (pid: number | undefined): pid is number =>
    pid !== undefined && processStart(pid) !== undefined;

  /** A victim may end by itself just before. */
  const kill = (pid: number): boolean => {
    try {
      return process.kill(pid, 'SIGKILL');
    } catch {
      return false;
    }
  };

  /** A look from a new process: what it says must be so. */
  async function look() {
    const { code, stdout, stderr } = await rlm(['status', '--run', RUN, '--json'], { cwd: root });
    expect(code, stderr).toBe(0);
    const { run } = StatusResult.parse(JSON.parse(stdout));
    const spawned = spawnedTasks(root);
    expect(new Set(spawned).size, 'nothing is spawned twice').toBe(spawned.length);
    // What says that it was never launched was not: every worker that ran is on record.
    const launched = new Set(launches().map((record) => record.worker_id));
    for (const id of spawned) expect(launched, id).toContain(id);
    if (run.driver === 'gone') expect(run.state).not.toBe('working');
    return run;
  }
  function launches() {
    try {
      return InflightFile.parse(
        JSON.parse(readFileSync(join(runDir, 'artifacts/scheduler/inflight.json'), 'utf8')),
      ).workers;
    } catch {
      return [];
    }
  }

  const killed = { driver: 0, worker: 0, orchestrator: 0 };
  let resumed = 0;
  const order = ['driver', 'orchestrator', 'driver', 'worker'] as const;
  const kills = () => killed.driver + killed.worker + killed.orchestrator;
  // A victim may be gone when its turn comes: then the next one is tried.
  for (let turn = 0; kills() < KILLS && turn < 3 * KILLS; turn += 1) {
    const victim = order[turn % order.length] ?? 'driver';
    const orchestrator = runReady();
    // Listened for from the start: it may have ended by itself before it is to be killed.
    const exited = once(orchestrator, 'exit');
    if (victim === 'orchestrator') {
      await sleep(next() * 500);
      orchestrator.kill('SIGKILL');
      await exited;
      killed.orchestrator += 1;
    } else {
      await exited;
      await sleep(next() * 250);
      const pid = victim === 'driver' ? driverPid() : Number(processesMarked(runDir, { leaders: true })[0]);
      if (alive(pid) && kill(pid)) killed[victim] += 1;
    }
    const status = await look();
    // A stage that nobody drives is taken up: its orphans end, and what was only requested is launched.
    if (status.state === 'failed') {
      await once(start('resume', '--run', RUN, '--detach'), 'exit');
      resumed += 1;
    }
  }
  expect(kills()).toBe(KILLS);
  expect(resumed).toBeGreaterThan(0);

  // Then nobody kills any more: what failed is retried under a new id, and all of it comes to an end.
  for (let round = 0; round < 60; round += 1) {
    await rlm(['wait', '--run', RUN, '--timeout-sec', '45', '--json'], { cwd: root });
    const { tasks: board, driver } = await look();
    if (board.satisfied === board.total) break;
    if (driver !== 'alive' && board.counts.inflight > 0) {
      await once(start('resume', '--run', RUN, '--detach'), 'exit');
      continue;
    }
    for (const { worker_id } of board.failed) {
      const args = ['spawn-worker', '--run', RUN, '--retry-of', worker_id, '--detach', ...command];
      const retried = await rlm(args, { cwd: root });
      expect(retried.code, retried.stderr).toBe(0);
    }
    if (board.failed.length === 0) await once(runReady(), 'exit');
  }
  const end = await look();
  expect(end.tasks.satisfied).toBe(end.tasks.total);
  expect(end.tasks.counts.ok).toBe(TASKS);
  for (const record of launches()) expect(record.finished_at).not.toBeNull();
  expect(processesMarked(runDir)).toEqual([]);
});
