import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { ActivityRecord } from '../../src/contracts/index.ts';
import { ANSWER_LINE, BatchFixture } from '../support/batch-run.ts';
import { rlm } from '../support/rlm.ts';
import { until } from '../workers/request.ts';

vi.setConfig({ testTimeout: 60_000 });

const damages: Array<[string, (path: string) => void]> = [
  ['lost', (path) => rmSync(path)],
  ['emptied', (path) => writeFileSync(path, '')],
  ['cut', (path) => truncateSync(path, 40)],
];

test.each(damages)(
  'a run whose activity.json was %s is read from its journal, and resumed',
  async (_, damage) => {
    const fixture = new BatchFixture(['a', 'b']);
    const worker = fixture.script('worker.sh', `[ "$1" = c-b ] && exec sleep 300\n${ANSWER_LINE}`);
    const there = (...args: string[]) => rlm([...args, '--run-dir', 'run'], { cwd: fixture.root });
    const command = ['--command', worker, '--command', '{chunk_id}'];
    expect(
      (await there('batch', '--jobs', 'jobs.jsonl', '--detach', '--parallel', '1', ...command)).code,
    ).toBe(0);
    await until(() => (fixture.events().some(({ type }) => type === 'result') ? true : undefined), 20_000);
    await until(() => (fixture.workers().length > 0 ? true : undefined), 20_000);
    const path = join(fixture.runDir, 'activity.json');
    const { driver } = ActivityRecord.parse(JSON.parse(readFileSync(path, 'utf8')));
    process.kill(driver?.pid ?? Number.NaN, 'SIGKILL');
    await until(() => (fixture.workers().length === 0 ? true : undefined), 20_000);

    damage(path);
    const { run } = JSON.parse((await there('status', '--json')).stdout);
    expect(run).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('its driver died'),
      progress: { total: 2, accepted: 1 },
    });
    fixture.script('worker.sh', ANSWER_LINE);
    expect((await there('resume')).code).toBe(0);
    expect(fixture.summary()).toMatchObject({ jobs_succeeded: 2, jobs_failed: 0 });
    expect(fixture.events().filter(({ type }) => type === 'attempt_started')).toHaveLength(3);
  },
);

test('a finished run whose activity.json was lost is still finished', async () => {
  const fixture = new BatchFixture(['a']);
  const worker = fixture.script('worker.sh', ANSWER_LINE);
  const there = (...args: string[]) => rlm([...args, '--run-dir', 'run'], { cwd: fixture.root });
  await there('batch', '--jobs', 'jobs.jsonl', '--command', worker, '--command', '{chunk_id}');
  const status = async () => JSON.parse((await there('status', '--json')).stdout).run;
  const before = await status();
  rmSync(join(fixture.runDir, 'activity.json'));
  expect(await status()).toEqual(before);
});
