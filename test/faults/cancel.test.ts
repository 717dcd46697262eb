import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { BatchFixture } from '../support/batch-run.ts';
import { jobOf, LANES, startLane } from '../support/lanes.ts';
import { exitOf, rlm, startRlm } from '../support/rlm.ts';
import { until } from '../workers/request.ts';

// Real CLIs on a busy machine.
vi.setConfig({ testTimeout: 90_000 });

/** What a cancel may take until nothing is left, milliseconds. */
const LIMIT_MS = 3000;
/** How long a test waits for what must come, on a busy machine; milliseconds. */
const PATIENCE_MS = 40_000;
const IDS = ['a', 'b', 'c', 'd'];

/** Processes that have to do with a directory: it stands in their arguments or their environment. */
function processesOf(directory: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return ['cmdline', 'environ'].some((name) =>
        readFileSync(`/proc/${pid}/${name}`, 'utf8').includes(directory),
      );
    } catch {
      return false;
    }
  });
}

/** Milliseconds from when the cancel is on record until no worker of the run is left. */
async function untilGone(fixture: BatchFixture): Promise<number> {
  const onRecord = () => existsSync(join(fixture.runDir, 'cancel.json')) || fixture.workers().length === 0;
  await until(() => (onRecord() ? true : undefined), PATIENCE_MS);
  const asked = performance.now();
  await until(() => (fixture.workers().length === 0 ? true : undefined), PATIENCE_MS);
  return performance.now() - asked;
}

describe.each(LANES)('a batch of silent models through $name', (lane) => {
  async function silentBatch() {
    const started = await startLane(lane, IDS, { keyOf: jobOf, reply: () => ({ kind: 'hang' }) });
    onTestFinished(() => started.close());
    const batch = started.start(started.batch());
    onTestFinished(() => {
      batch.kill('SIGKILL');
    });
    const exit = exitOf(batch);
    await until(() => (started.model.open === 4 ? true : undefined), PATIENCE_MS);
    expect(started.fixture.workers()).not.toEqual([]);
    return { ...started, process: batch, exit };
  }

  test('Ctrl-C leaves no process', async () => {
    const batch = await silentBatch();
    batch.process.kill('SIGINT');
    expect(await untilGone(batch.fixture)).toBeLessThan(LIMIT_MS);
    expect(await batch.exit).toMatchObject({ code: 130 });
    expect(processesOf(batch.fixture.root)).toEqual([]);
    expect(batch.fixture.summary()).toMatchObject({ state: 'cancelled', jobs_succeeded: 0, jobs_failed: 4 });
    await until(() => (batch.model.open === 0 ? true : undefined));
    expect(batch.model.calls).toHaveLength(4);
  });

  test('rlm cancel leaves no process, and ends what follows the run', async () => {
    const batch = await silentBatch();
    const cancelled = batch.rlm('cancel', '--run-dir', 'run');
    expect(await untilGone(batch.fixture)).toBeLessThan(LIMIT_MS);
    const cancel = await cancelled;
    expect(cancel.code, cancel.stderr).toBe(0);
    expect(cancel.stdout).toContain('cancelled');
    expect((await batch.exit).code).toBe(3);
    expect(processesOf(batch.fixture.root)).toEqual([]);
  });
});

/** Ignores every signal it can, and leaves children in sessions of their own, which do too. */
const STUBBORN = `trap '' TERM INT HUP
setsid sleep 300 &
setsid sh -c 'sleep 301; true' &
(setsid setsid sleep 302 &)
touch "started.$1"
sleep 303; sleep 304`;

test.each(['SIGINT', 'rlm cancel'])('workers that do not want to go are gone after %s', async (how) => {
  const fixture = new BatchFixture(IDS);
  const worker = fixture.script('worker.sh', STUBBORN);
  const command = ['--command', worker, '--command', '{chunk_id}'];
  const args = ['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', '--parallel', '4', ...command];
  const batch = startRlm(args, { cwd: fixture.root });
  const exit = exitOf(batch);
  const startedJobs = () => readdirSync(fixture.root).filter((name) => name.startsWith('started.')).length;
  await until(() => (startedJobs() === 4 && fixture.workers().length >= 20 ? true : undefined), PATIENCE_MS);
  const cancel =
    how === 'SIGINT' ? batch.kill('SIGINT') : rlm(['cancel', '--run-dir', 'run'], { cwd: fixture.root });
  expect(await untilGone(fixture)).toBeLessThan(LIMIT_MS);
  await exit;
  await cancel;
  expect(processesOf(fixture.root)).toEqual([]);
  const status = await rlm(['status', '--run-dir', 'run', '--json'], { cwd: fixture.root });
  expect(JSON.parse(status.stdout).run).toMatchObject({ state: 'cancelled', driver: 'ended' });
});
