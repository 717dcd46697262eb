import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { readHistory } from '../../src/dispatch/index.ts';
import { ANSWER_LINE, BatchFixture } from '../support/batch-run.ts';
import { rlm } from '../support/rlm.ts';
import { until } from '../workers/request.ts';

vi.setConfig({ testTimeout: 90_000 });

const canTrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
const IDS = ['a', 'b', 'c', 'd'];

function fixtureWith(body: string) {
  const fixture = new BatchFixture(IDS);
  const worker = fixture.script('worker.sh', body);
  const there = (...args: string[]) => rlm([...args, '--run-dir', 'run'], { cwd: fixture.root });
  const batch = ['batch', '--jobs', 'jobs.jsonl', '--command', worker, '--command', '{chunk_id}'];
  return { fixture, there, batch };
}

test.runIf(canTrace)(
  'a result is on the disk before the journal says so, and the journal within a second',
  async () => {
    const { fixture, there, batch } = fixtureWith(
      // Until the driver is traced.
      `while [ ! -f open ]; do sleep 0.05; done\n${ANSWER_LINE}`,
    );
    expect((await there(...batch, '--parallel', '2', '--detach')).code).toBe(0);
    await until(() => (fixture.workers().length > 0 ? true : undefined), 20_000);
    const { driver } = JSON.parse(readFileSync(join(fixture.runDir, 'activity.json'), 'utf8'));
    const trace = join(fixture.root, 'trace');
    const calls = 'trace=write,fsync,fdatasync,rename,renameat,renameat2';
    const tracer = startTrace([
      '-f',
      '-y',
      '-ttt',
      '-s',
      '120',
      '-e',
      calls,
      '-o',
      trace,
      '-p',
      String(driver.pid),
    ]);
    await until(() => (tracer.stderr().includes('attached') ? true : undefined), 20_000);
    fixture.write('open', '');
    await tracer.ended;
    const lines = readFileSync(trace, 'utf8').split('\n');
    for (const id of IDS) {
      const synced = lines.findIndex(
        (line) => /f(data)?sync\(/.test(line) && line.includes(`subresults/${id}.json`),
      );
      const journaled = lines.findIndex(
        (line) =>
          line.includes('events.jsonl') &&
          line.includes('"type\\":\\"result\\"') &&
          line.includes(`\\"id\\":\\"${id}\\"`),
      );
      expect(synced, id).toBeGreaterThan(-1);
      expect(journaled, id).toBeGreaterThan(synced);
      const forced = lines
        .slice(journaled)
        .find((line) => /f(data)?sync\(/.test(line) && line.includes('events.jsonl'));
      expect(timeOf(forced) - timeOf(lines[journaled]), id).toBeLessThan(1);
    }
  },
);

/** Starts strace; it ends with what it traces. */
function startTrace(args: string[]) {
  const child = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let said = '';
  child.stderr.on('data', (bytes) => {
    said += String(bytes);
  });
  return { stderr: () => said, ended: new Promise((resolve) => child.once('close', resolve)) };
}

/** Seconds, as strace prints them after the pid. */
function timeOf(line: string | undefined): number {
  return Number(/^\d+\s+(\d+\.\d+)/.exec(line ?? '')?.[1]);
}

test('a run that is cut anywhere in its journal goes on from what is there, and ends whole', async () => {
  const { fixture, there, batch } = fixtureWith(ANSWER_LINE);
  expect((await there(...batch)).code).toBe(0);
  const journal = join(fixture.runDir, 'events.jsonl');
  const whole = readFileSync(journal);
  const ends = [...whole.keys()].filter((at) => whole[at] === 0x0a).map((at) => at + 1);
  const cuts = ends.flatMap((end, index) => [end, end - Math.floor((end - (ends[index - 1] ?? 0)) / 2)]);
  const directory = mkdtempSync(join(tmpdir(), 'rlm-prefix-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const cut of cuts) {
    const prefix = join(directory, `${cut}.jsonl`);
    copyFileSync(journal, prefix);
    truncateSync(prefix, cut);
    const { accepted, progress } = await readHistory(prefix);
    const acceptedIds = IDS.filter((id) => accepted.get(id) !== undefined);
    expect(progress.accepted).toBe(acceptedIds.length);
  }
  // Some of them to the very end, by a driver of their own.
  for (const cut of cuts.filter((cut, index) => index % 7 === 3 && cut < whole.length)) {
    writeFileSync(journal, whole.subarray(0, cut));
    // Written after the journal, so it cannot be there yet.
    rmSync(join(fixture.runDir, 'activity.json'));
    const { code, stderr } = await there('resume');
    expect(code, `${cut}: ${stderr}`).toBe(0);
    expect(fixture.summary()).toMatchObject({ jobs_total: 4, jobs_succeeded: 4, jobs_failed: 0 });
  }
});
