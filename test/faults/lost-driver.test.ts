import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { acquireLock, isAlive } from '../../src/files/index.ts';
import { ANSWER_LINE, BatchFixture } from '../support/batch-run.ts';
import { rlm } from '../support/rlm.ts';
import { until } from '../workers/request.ts';

const HOST = 'a-container-of-yesterday';

/** A batch whose workers wait for the file `open`, with one of them at work. */
async function waitingBatch() {
  const fixture = new BatchFixture(['a', 'b']);
  const worker = fixture.script('worker.sh', `while [ ! -f open ]; do sleep 0.1; done\n${ANSWER_LINE}`);
  const command = ['--command', worker, '--command', '{chunk_id}'];
  const rlmThere = (...args: string[]) => rlm([...args, '--run-dir', 'run'], { cwd: fixture.root });
  expect((await rlmThere('batch', '--jobs', 'jobs.jsonl', '--detach', ...command)).code).toBe(0);
  await until(() => (fixture.workers().length > 0 ? true : undefined), 20_000);
  const file = join(fixture.runDir, 'activity.json');
  const activity = () => JSON.parse(readFileSync(file, 'utf8'));
  return {
    fixture,
    rlmThere,
    activity,
    writeActivity: (record: unknown) => writeFileSync(file, JSON.stringify(record)),
  };
}

test('a run whose driver was lost with its host is taken over by who says so, once it was silent for a minute', async () => {
  const { fixture, rlmThere, activity, writeActivity } = await waitingBatch();
  const { driver } = activity();
  process.kill(driver.pid, 'SIGKILL');
  await until(() => (isAlive(driver) === false ? true : undefined), 20_000);
  const lock = join(fixture.runDir, 'driver.lock');
  for (const name of readdirSync(lock)) {
    const holder = JSON.parse(readFileSync(join(lock, name), 'utf8'));
    writeFileSync(join(lock, name), JSON.stringify({ ...holder, host: HOST }));
  }
  const moved = { ...activity(), driver: { ...driver, host: HOST } };

  writeActivity({ ...moved, heartbeat_at: new Date().toISOString() });
  const early = await rlmThere('resume', '--take-over', '--detach');
  expect(early).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`the driver on ${HOST} showed itself at`),
  });

  writeActivity({ ...moved, heartbeat_at: new Date(Date.now() - 120_000).toISOString() });
  const { run } = JSON.parse((await rlmThere('status', '--json')).stdout);
  expect(run).toMatchObject({
    state: 'working',
    driver: 'unknown',
    reason: `its driver on ${HOST} has been silent for 2 min`,
    next: [{ tool: 'rlm_resume', args: { take_over: true } }],
  });
  const refused = await rlmThere('resume', '--detach');
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('--take-over') });

  fixture.write('open', '');
  const resumed = await rlmThere('resume', '--take-over');
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(fixture.summary()).toMatchObject({ state: 'completed', jobs_succeeded: 2 });
}, 60_000);

test('a driver that was taken over ends with its workers, and writes nothing more', async () => {
  const { fixture, rlmThere, activity } = await waitingBatch();
  const { driver } = activity();
  const lock = acquireLock(join(fixture.runDir, 'driver.lock'), 'a test', 'always');
  await until(() => (isAlive(driver) === false ? true : undefined), 20_000);
  await until(() => (fixture.workers().length === 0 ? true : undefined), 20_000);
  expect(fixture.events().at(-1)?.type).toBe('process');
  expect(readFileSync(join(fixture.runDir, 'logs/driver.log'), 'utf8')).toContain('has taken the run over');
  lock.release();

  fixture.write('open', '');
  expect((await rlmThere('resume')).code).toBe(0);
  expect(fixture.summary()).toMatchObject({ state: 'completed', jobs_succeeded: 2 });
}, 60_000);

test('a run whose journal is something else says so, and a run whose project was moved what to do', async () => {
  const fixture = new BatchFixture(['a']);
  const there = (root: string, ...args: string[]) => rlm(args, { cwd: root });
  const batch = ['batch', '--jobs', 'jobs.jsonl', '--worker', 'extractive', '--run-id', 'my-run'];
  expect((await there(fixture.root, ...batch)).code).toBe(0);
  const events = join(fixture.root, '.rlm/runs/my-run/events.jsonl');
  fixture.write('chunks/a.txt', 'It was changed.\n');
  renameSync(events, `${events}.kept`);
  mkdirSync(events);
  const broken = await there(fixture.root, 'resume', 'my-run', '--max-workers', '5');
  expect(broken).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('events.jsonl is not a regular file'),
  });
  rmSync(events, { recursive: true });
  renameSync(`${events}.kept`, events);

  const moved = `${fixture.root}-moved`;
  renameSync(fixture.root, moved);
  try {
    const lost = await there(moved, 'resume', 'my-run', '--max-workers', '5');
    expect(lost).toMatchObject({ code: 1, stderr: expect.stringContaining(`is gone: ${fixture.root}`) });
    expect(lost.stderr).toContain('symlink in its old place');
  } finally {
    renameSync(moved, fixture.root);
  }
});
