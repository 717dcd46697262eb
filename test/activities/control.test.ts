import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ActivityRecord } from '../../src/contracts/index.ts';
import { isAlive, type ProcessIdentity, processStart } from '../../src/files/index.ts';
import { ANSWER_LINE, BatchFixture } from '../support/batch-run.ts';
import { rlm } from '../support/rlm.ts';
import { until } from '../workers/request.ts';

vi.setConfig({ testTimeout: 90_000 });

/** A batch in the background, whose workers run `body`. */
async function startedBatch(ids: string[], body: string) {
  const fixture = new BatchFixture(ids);
  const worker = fixture.script('worker.sh', body);
  const there = (...args: string[]) => rlm([...args, '--run-dir', 'run'], { cwd: fixture.root });
  const command = ['--command', worker, '--command', '{chunk_id}'];
  const started = await there('batch', '--jobs', 'jobs.jsonl', '--detach', ...command);
  expect(started.code, started.stderr).toBe(0);
  const activity = () =>
    ActivityRecord.parse(JSON.parse(readFileSync(join(fixture.runDir, 'activity.json'), 'utf8')));
  onTestFinished(() => {
    const { driver } = activity();
    if (driver !== undefined && isAlive(driver) === true) process.kill(-driver.pid, 'SIGKILL');
  });
  return {
    fixture,
    there,
    driver: (): ProcessIdentity => activity().driver ?? expect.fail('there is no driver'),
    status: async () => JSON.parse((await there('status', '--json')).stdout).run,
    busy: () => until(() => (fixture.workers().length > 0 ? true : undefined), 20_000),
    over: (driver: ProcessIdentity) => until(() => (isAlive(driver) === false ? true : undefined), 20_000),
  };
}

/** The processes that start the workers of a driver. */
function launchersOf(driver: ProcessIdentity): number[] {
  const children = readFileSync(`/proc/${driver.pid}/task/${driver.pid}/children`, 'utf8').split(' ');
  return children
    .filter(Boolean)
    .map(Number)
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('launcher.js'));
}

test('a driver that is told to stop leaves an interrupted run, not a cancelled one, and it can be resumed', async () => {
  const batch = await startedBatch(['a'], 'exec sleep 300');
  await batch.busy();
  const driver = batch.driver();
  process.kill(driver.pid, 'SIGTERM');
  await batch.over(driver);
  expect(await batch.status()).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('interrupted'),
  });
  batch.fixture.script('worker.sh', ANSWER_LINE);
  expect((await batch.there('resume')).code).toBe(0);
});

test('the flag of an earlier cancel does not cancel a run that is resumed', async () => {
  const batch = await startedBatch(['a'], 'exec sleep 300');
  await batch.busy();
  const driver = batch.driver();
  process.kill(driver.pid, 'SIGKILL');
  await batch.over(driver);
  writeFileSync(join(batch.fixture.runDir, 'cancel.json'), '{}');
  batch.fixture.script('worker.sh', ANSWER_LINE);
  expect((await batch.there('resume')).code).toBe(0);
  expect(batch.fixture.summary()).toMatchObject({ state: 'completed', jobs_succeeded: 1 });
});

test('a completed run is not resumed', async () => {
  const batch = await startedBatch(['a'], ANSWER_LINE);
  await batch.over(batch.driver());
  expect(await batch.there('resume')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('nothing to resume'),
  });
});

test('workers whose driver and launcher are both dead are ended by the next driver', async () => {
  const batch = await startedBatch(['a'], 'exec sleep 300');
  await batch.busy();
  const driver = batch.driver();
  const launchers = launchersOf(driver);
  expect(launchers).not.toEqual([]);
  // Stopped, so that it cannot do its duty when the driver goes.
  for (const pid of launchers) process.kill(pid, 'SIGSTOP');
  process.kill(driver.pid, 'SIGKILL');
  await batch.over(driver);
  for (const pid of launchers) process.kill(pid, 'SIGKILL');
  const orphan = batch.fixture.workers()[0] ?? expect.fail('no worker outlived them');
  batch.fixture.script('worker.sh', ANSWER_LINE);
  expect((await batch.there('resume')).code).toBe(0);
  expect(processStart(orphan)).toBeUndefined();
  expect(batch.fixture.workers()).toEqual([]);
});

test('spare files of a launcher that was killed do not stay in the logs', async () => {
  const open = 'while [ ! -f open ]; do sleep 0.05; done';
  const batch = await startedBatch(['a', 'b'], `[ "$1" = c-b ] && ${open}\n${ANSWER_LINE}`);
  const { fixture } = batch;
  await until(() => (fixture.events().some(({ type }) => type === 'result') ? true : undefined), 20_000);
  const driver = batch.driver();
  process.kill(launchersOf(driver)[0] ?? expect.fail('there is no launcher'), 'SIGKILL');
  fixture.write('open', '');
  await batch.over(driver);
  expect(readdirSync(join(fixture.runDir, 'logs')).filter((name) => name.startsWith('.tmp-'))).toEqual([]);
});
