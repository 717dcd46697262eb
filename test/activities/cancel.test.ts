import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ActivityRecord } from '../../src/contracts/index.ts';
import { isAlive } from '../../src/files/index.ts';
import { ANSWER_LINE, BatchFixture } from '../support/batch-run.ts';
import { rlm } from '../support/rlm.ts';
import { until } from '../workers/request.ts';

vi.setConfig({ testTimeout: 60_000 });

/** A batch of two silent workers, driven in the background. */
async function silentBatch(body = 'exec sleep 300') {
  const fixture = new BatchFixture(['a', 'b']);
  const worker = fixture.script('worker.sh', body);
  const there = (...args: string[]) => rlm([...args, '--run-dir', 'run'], { cwd: fixture.root });
  expect(
    (await there('batch', '--jobs', 'jobs.jsonl', '--detach', '--command', worker, '--command', '{chunk_id}'))
      .code,
  ).toBe(0);
  await until(() => (fixture.workers().length >= 2 ? true : undefined), 20_000);
  const activity = () =>
    ActivityRecord.parse(JSON.parse(readFileSync(join(fixture.runDir, 'activity.json'), 'utf8')));
  const { driver } = activity();
  if (driver === undefined) throw new Error('the batch has no driver');
  onTestFinished(() => {
    if (isAlive(driver) === true) process.kill(-driver.pid, 'SIGKILL');
  });
  return { fixture, there, driver, activity };
}

test('a driver that was stopped is killed by a cancel, with its workers, and the run is cancelled', async () => {
  const { fixture, there, driver } = await silentBatch();
  process.kill(driver.pid, 'SIGSTOP');
  const asked = performance.now();
  const cancel = await there('cancel', '--json');
  expect(JSON.parse(cancel.stdout)).toMatchObject({
    state: 'cancelled',
    reason: expect.stringContaining('did not answer'),
  });
  expect(performance.now() - asked).toBeLessThan(10_000);
  expect(isAlive(driver)).toBe(false);
  expect(fixture.workers()).toEqual([]);
  fixture.script(
    'worker.sh',
    ANSWER_LINE.replace('"$1"', '"c-$(grep -o "chunk of ." | tail -c 2 | head -c 1)"'),
  );
  expect((await there('resume')).code).toBe(0);
});

test('a driver that does not show itself for ten seconds is reported as silent, also on this host', async () => {
  const { there, driver, activity } = await silentBatch();
  process.kill(driver.pid, 'SIGSTOP');
  await until(() => {
    const silentMs = Date.now() - Date.parse(activity().heartbeat_at ?? '');
    return silentMs > 10_500 ? true : undefined;
  }, 20_000);
  const { run } = JSON.parse((await there('status', '--json')).stdout);
  expect(run).toMatchObject({
    state: 'working',
    reason: expect.stringMatching(`^its driver, pid ${driver.pid}, has been silent for 1\\d s`),
  });
  process.kill(driver.pid, 'SIGCONT');
  await there('cancel');
});

test('a run whose driver was killed is failed in the list of runs too', async () => {
  const fixture = new BatchFixture(['a'], undefined, '.rlm/runs/crashed');
  const worker = fixture.script('worker.sh', 'exec sleep 300');
  const batch = ['batch', '--jobs', 'jobs.jsonl', '--detach', '--command', worker];
  expect((await rlm([...batch, '--run-id', 'crashed'], { cwd: fixture.root })).code).toBe(0);
  await until(() => (fixture.workers().length > 0 ? true : undefined), 20_000);
  const list = async () => JSON.parse((await rlm(['runs', '--json'], { cwd: fixture.root })).stdout).runs;
  expect(await list()).toMatchObject([{ run_id: 'crashed', state: 'working' }]);
  const { driver } = ActivityRecord.parse(
    JSON.parse(readFileSync(join(fixture.runDir, 'activity.json'), 'utf8')),
  );
  process.kill(driver?.pid ?? Number.NaN, 'SIGKILL');
  await until(() => (fixture.workers().length === 0 ? true : undefined), 20_000);
  expect(await list()).toMatchObject([{ run_id: 'crashed', state: 'failed' }]);
});

test.runIf(process.platform === 'linux')(
  'a child that left its group and cleared its environment is gone after a cancel too',
  async () => {
    const { fixture, there } = await silentBatch(
      'env -i setsid sleep 4321 & echo $! > child.$1; exec sleep 300',
    );
    const child = await until(() => {
      const path = join(fixture.root, 'child.c-a');
      const pid = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
      return pid > 0 ? pid : undefined;
    });
    await until(() => (commandOf(child).includes('4321') ? true : undefined));
    expect((await there('cancel')).code).toBe(0);
    await until(() => (commandOf(child) === '' ? true : undefined), 3000);
  },
);

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
