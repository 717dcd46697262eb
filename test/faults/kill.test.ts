import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ActivityRecord } from '../../src/contracts/index.ts';
import { processStart } from '../../src/files/index.ts';
import { ANSWER_LINE, BatchFixture, RLM } from '../support/batch-run.ts';

const JOBS = 200;
const KILLS = 20;

/** A seeded random source: a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('a batch that is killed again and again', () => {
  it('ends with every result, none run again once accepted, and no process left', async () => {
    const next = random(20261120);
    const ids = Array.from({ length: JOBS }, (_, i) => `j-${String(i).padStart(3, '0')}`);
    const fixture = new BatchFixture(ids);
    // The last jobs wait until all the killing is done, however fast the machine is.
    const worker = fixture.script(
      'worker.sh',
      `case $1 in *-1[89]?) while [ ! -f open ]; do sleep 0.05; done ;; *) sleep 0.2 ;; esac\n${ANSWER_LINE}`,
    );
    const rlm = (...args: string[]) =>
      spawn(process.execPath, [RLM, ...args], { cwd: fixture.root, stdio: 'ignore' });
    const driverPid = (): number | undefined => {
      try {
        const text = readFileSync(join(fixture.runDir, 'activity.json'), 'utf8');
        return ActivityRecord.parse(JSON.parse(text)).driver?.pid;
      } catch {
        return undefined;
      }
    };
    const batch = [
      'batch',
      '--jobs',
      'jobs.jsonl',
      '--run-dir',
      'run',
      '--parallel',
      '8',
      '--command',
      worker,
      '--command',
      '{chunk_id}',
    ];
    const resume = ['resume', '--run-dir', 'run'];
    let command: ChildProcess = rlm(...batch);
    const killed = { driver: 0, command: 0, worker: 0 };
    const alive = (pid: number | undefined): pid is number =>
      pid !== undefined && processStart(pid) !== undefined;
    const victims = {
      driver: () => driverPid(),
      command: () => command.pid,
      worker: () => fixture.workers()[0],
    };
    const order = ['driver', 'worker', 'driver', 'command'] as const;
    for (let kill = 0; kill < KILLS; ) {
      const victim = order[kill % order.length] ?? 'driver';
      while (!alive(victims[victim]())) {
        // What was killed before is started again, at an instant of its own.
        if (!alive(driverPid()) && !alive(command.pid)) {
          command = rlm(...(driverPid() === undefined ? batch : resume));
        }
        if (victim === 'command' && !alive(command.pid))
          command = rlm('status', '--run-dir', 'run', '--watch');
        await sleep(20);
      }
      await sleep(next() * 400);
      const pid = victims[victim]();
      if (!alive(pid)) continue;
      process.kill(pid, 'SIGKILL');
      killed[victim] += 1;
      kill += 1;
    }
    const end = performance.now() + 30_000;
    fixture.write('open', '');
    while (fixture.events().at(-1)?.type !== 'finished' && performance.now() < end) {
      if (!alive(driverPid())) await once(rlm(...resume), 'exit');
      await sleep(50);
    }
    while (alive(driverPid()) && performance.now() < end) await sleep(20);

    expect(killed).toEqual({ driver: KILLS / 2, worker: KILLS / 4, command: KILLS / 4 });
    const events = fixture.events();
    const accepted = new Set<string>();
    for (const event of events) {
      if (event.type === 'attempt_started' && accepted.has(event.id))
        expect.fail(`${event.id} was run again`);
      if (event.type !== 'outcome' || event.outcome.status !== 'accepted') continue;
      if (accepted.has(event.outcome.id)) expect.fail(`${event.outcome.id} was counted twice`);
      accepted.add(event.outcome.id);
    }
    expect([...accepted].sort()).toEqual(ids);
    expect(fixture.summary()).toMatchObject({
      state: 'completed',
      jobs_total: JOBS,
      jobs_succeeded: JOBS,
      jobs_failed: 0,
    });
    expect(fixture.workers()).toEqual([]);
    const pid = driverPid();
    expect(pid === undefined || processStart(pid) === undefined).toBe(true);
  }, 180_000);
});
