import { once } from 'node:events';
import { createWriteStream, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { ANSWER_LINE, BatchFixture } from '../support/batch-run.ts';
import { rlm } from '../support/rlm.ts';
import { finishedBatch, temporaryDirectory } from '../support/runs.ts';
import { until } from '../workers/request.ts';

const KB_PER_MB = 1024;

/** Most memory that each process of ours had, by its command, in kB. */
class PeakMemory {
  readonly #directory = temporaryDirectory();
  readonly env: Record<string, string>;

  constructor() {
    const hook = join(this.#directory, 'hook.cjs');
    // Node itself says it best, at the very end; a look from outside would miss the peak.
    writeFileSync(
      hook,
      `process.on('exit', () => require('node:fs').writeFileSync(
        require('node:path').join(__dirname, process.argv[2] + '.rss'), String(process.resourceUsage().maxRSS)))`,
    );
    this.env = { NODE_OPTIONS: `--require ${hook}` };
  }

  of(command: 'batch' | 'drive'): number {
    return Number(readFileSync(join(this.#directory, `${command}.rss`), 'utf8'));
  }
}

/** Peak memory of `rlm batch` over that many good jobs and then a line that is none, in kB. */
async function checkWrongEnd(jobs: number): Promise<number> {
  const fixture = new BatchFixture(['one']);
  const file = createWriteStream(join(fixture.root, 'jobs.jsonl'));
  const line = (at: number) =>
    `{"job_id":"job-${at}","chunk_id":"c-${at}","chunk_path":"chunks/one.txt","question":"q","output_path":"subresults/job-${at}.json","schema_path":"schema.json","sandbox":"read-only","timeout_sec":60}\n`;
  for (let at = 0; at < jobs; at += 1000) {
    const lines = Array.from({ length: 1000 }, (_, index) => line(at + index)).join('');
    if (!file.write(lines)) await once(file, 'drain');
  }
  file.end('{"job_id":\n');
  await finished(file);
  const memory = new PeakMemory();
  const exit = await rlm(['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run'], {
    cwd: fixture.root,
    env: memory.env,
  });
  expect(exit.code).toBe(1);
  expect(exit.stderr).toContain(`line ${jobs + 1}: not valid JSON`);
  expect(readdirSync(fixture.root)).not.toContain('run');
  return memory.of('batch');
}

test('a million jobs are checked to the last line in less memory than the file has bytes', async () => {
  const few = await checkWrongEnd(1000);
  const million = await checkWrongEnd(1_000_000);
  // 45 bytes a job stay, the rest is the garbage collector's slack; the file itself is 200 MB.
  expect((million - few) / KB_PER_MB).toBeLessThan(190);
}, 180_000);

test('blank lines are not taken for jobs to come', async () => {
  const fixture = new BatchFixture(['one']);
  const jobs = readFileSync(join(fixture.root, 'jobs.jsonl'), 'utf8');
  writeFileSync(join(fixture.root, 'jobs.jsonl'), `${'\n'.repeat(20_000_000)}${jobs}{"job_id":\n`);
  const memory = new PeakMemory();
  const exit = await rlm(['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run'], {
    cwd: fixture.root,
    env: memory.env,
  });
  expect(exit.stderr).toContain('line 20000002: not valid JSON');
  expect(memory.of('batch') / KB_PER_MB).toBeLessThan(450);
});

/** Peak memory of the driver of one job that is answered by a script, in kB. */
async function driverPeak(
  body: string,
  flag: '--command' | '--runner-script',
  code: number,
): Promise<number> {
  const fixture = new BatchFixture(['a']);
  const worker = fixture.script('worker.sh', body);
  const memory = new PeakMemory();
  const exit = await rlm(
    ['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', '--retries', '0', flag, worker],
    { cwd: fixture.root, env: memory.env },
  );
  expect(exit.code, exit.stderr).toBe(code);
  return memory.of('drive');
}

test('a worker that prints 100 MB does not hurt its driver', async () => {
  const answer = String.raw`{"item":{"type":"agent_message","text":"{\"chunk_id\":\"c-a\",\"relevant\":true,\"summary\":\"ok\",\"confidence\":1,\"evidence\":[]}"}}`;
  const last = `cat <<'END'\n${answer}\nEND`;
  const quiet = await driverPeak(last, '--runner-script', 0);
  const lines = 'yes "some words that nobody wants to read, and no JSON" | head -c 100000000';
  const oneLine = 'head -c 100000000 /dev/zero';
  const loud: [string, '--command' | '--runner-script', number][] = [
    [`${lines}; echo; ${last}`, '--runner-script', 0],
    [`${oneLine}; echo; ${last}`, '--runner-script', 0],
    [`${oneLine} >&2; ${last}`, '--runner-script', 0],
    [oneLine, '--command', 3],
  ];
  for (const [body, flag, code] of loud) {
    expect(((await driverPeak(body, flag, code)) - quiet) / KB_PER_MB, body.slice(0, 40)).toBeLessThan(80);
  }
}, 60_000);

test('the status of 10,000 jobs is under 2 kB', async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 10_000, failed: ['job-00007'], title: 'x'.repeat(500) });
  const status = await rlm(['status', run.id, '--json'], { cwd: root });
  expect(JSON.parse(status.stdout).run.progress).toMatchObject({ total: 10_000, accepted: 9999, failed: 1 });
  expect(Buffer.byteLength(status.stdout)).toBeLessThan(2000);
});

test('of ten that resume a run at once one drives it, and the others are told who', async () => {
  const fixture = new BatchFixture(['a', 'b', 'c']);
  const worker = fixture.script('worker.sh', `while [ ! -f open ]; do sleep 0.1; done\n${ANSWER_LINE}`);
  const at = { cwd: fixture.root };
  const command = ['--command', worker, '--command', '{chunk_id}'];
  await rlm(['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', '--detach', ...command], at);
  await rlm(['cancel', '--run-dir', 'run'], at);
  const resumes = await Promise.all(
    Array.from({ length: 10 }, () => rlm(['resume', '--run-dir', 'run', '--detach'], at)),
  );
  const losers = resumes.filter(({ code }) => code !== 0);
  expect(losers.map(({ stderr }) => stderr)).toHaveLength(9);
  for (const { code, stderr } of losers) {
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*(?:driven|held) by pid \d+ on \S+/);
  }
  fixture.write('open', '');
  await until(() => (fixture.events().at(-1)?.type === 'finished' ? true : undefined), 40_000);
  const events = fixture.events();
  expect(events.filter(({ type }) => type === 'driver_started')).toHaveLength(2);
  expect(fixture.summary()).toMatchObject({ state: 'completed', jobs_succeeded: 3 });
  expect(
    events
      .filter((event) => event.type === 'result')
      .map(({ result }) => result.id)
      .sort(),
  ).toEqual(['a', 'b', 'c']);
}, 60_000);

test('a run directory that is a symlink is refused, and nothing is written through it', async () => {
  const fixture = new BatchFixture(['a']);
  const elsewhere = temporaryDirectory();
  symlinkSync(elsewhere, join(fixture.root, 'link'));
  for (const args of [
    ['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'link', '--worker', 'extractive'],
    ['resume', '--run-dir', 'link'],
    ['status', '--run-dir', 'link'],
  ]) {
    const exit = await rlm(args, { cwd: fixture.root });
    expect(exit.stderr, args.join(' ')).toMatch(/^error: .*link is a symlink/);
    expect(exit.code).toBe(1);
  }
  expect(readdirSync(elsewhere)).toEqual([]);
});

test('a run of a newer version is refused and left as it is', async () => {
  const fixture = new BatchFixture(['a']);
  mkdirSync(fixture.runDir);
  const record = '{"schema_version": 2, "run_id": "run", "something": "new"}';
  fixture.write('run/run.json', record);
  for (const args of [
    ['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', '--worker', 'extractive'],
    ['resume', '--run-dir', 'run'],
    ['cancel', '--run-dir', 'run'],
    ['status', '--run-dir', 'run'],
  ]) {
    const exit = await rlm(args, { cwd: fixture.root });
    expect(exit.stderr, args.join(' ')).toContain('run.json has schema_version 2; this rlm reads up to 1');
    expect(exit.code).toBe(1);
  }
  expect(readFileSync(join(fixture.runDir, 'run.json'), 'utf8')).toBe(record);
  expect(readdirSync(fixture.runDir)).toEqual(['run.json']);
});
