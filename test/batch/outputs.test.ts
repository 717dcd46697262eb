import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ANSWER_LINE, BatchFixture, RLM } from '../support/batch-run.ts';
import { connectClient, rlm } from '../support/rlm.ts';
import { temporaryDirectory } from '../support/runs.ts';

const OUTPUTS: Record<string, string> = {
  file: 'subresults/x',
  below: 'subresults/x/y',
  other: 'subresults/z',
};

test('a result whose place another one has taken fails alone', async () => {
  const fixture = new BatchFixture(Object.keys(OUTPUTS), (id) => ({ output_path: OUTPUTS[id] }));
  const worker = fixture.script('worker.sh', ANSWER_LINE);
  const args = ['--command', worker, '--command', '{chunk_id}', '--parallel', '1'];
  const end = await rlm(['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', ...args], {
    cwd: fixture.root,
  });
  expect(end.code, end.stderr).toBe(2);
  const { results, jobs_succeeded } = fixture.summary();
  expect(jobs_succeeded).toBe(2);
  expect(results.find(({ status }) => status === 'failed')).toMatchObject({
    job_id: 'below',
    failure_class: 'config',
    errors: [expect.stringMatching(/result cannot be written: .*leads through a file/)],
  });
});

test('a symlink that a worker puts in place of the results leads nothing out of the run', async () => {
  const fixture = new BatchFixture(['first', 'last']);
  const outside = join(fixture.root, 'outside');
  const turn = `mkdir -p ${outside}; rm -rf "$RLM_WORKER_OF/subresults"; ln -s ${outside} "$RLM_WORKER_OF/subresults"`;
  const worker = fixture.script('worker.sh', `${turn}\n${ANSWER_LINE}`);
  const args = ['--command', worker, '--command', '{chunk_id}', '--parallel', '1'];
  const end = await rlm(['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', ...args], {
    cwd: fixture.root,
  });
  expect(end.code, end.stderr).toBe(3);
  expect(readdirSync(outside)).toEqual([]);
  expect(fixture.summary().results).toMatchObject(
    Array(2).fill({ status: 'failed', errors: [expect.stringContaining('leads through a symlink out of')] }),
  );
});

test.each(['logs', 'prompts', 'subresults'])(
  '%s as a symlink out of the run is refused before a worker starts',
  async (name) => {
    const fixture = new BatchFixture(['first']);
    const outside = join(fixture.root, 'outside');
    mkdirSync(join(fixture.root, 'run'));
    mkdirSync(outside);
    symlinkSync(outside, join(fixture.root, 'run', name));
    const worker = fixture.script('worker.sh', ANSWER_LINE);
    const args = ['--command', worker, '--command', '{chunk_id}'];
    const end = await rlm(['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', ...args], {
      cwd: fixture.root,
    });
    expect(end.code, end.stderr).not.toBe(0);
    expect(end.stdout + end.stderr).toContain('leads through a symlink out of');
    expect(readdirSync(outside)).toEqual([]);
  },
);

test('a chunk that became a pipe, and one that became a directory, fail alone', async () => {
  const fixture = new BatchFixture(['first', 'pipe', 'directory', 'last']);
  const chunks = join(fixture.root, 'chunks');
  const turn = `case $1 in c-first) rm ${chunks}/pipe.txt ${chunks}/directory.txt
    mkfifo ${chunks}/pipe.txt; mkdir ${chunks}/directory.txt;; esac`;
  const worker = fixture.script('worker.sh', `${turn}\n${ANSWER_LINE}`);
  const args = ['--command', worker, '--command', '{chunk_id}', '--parallel', '1'];
  const end = await rlm(['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', ...args], {
    cwd: fixture.root,
  });
  expect(end.code, end.stderr).toBe(2);
  const failed = fixture.summary().results.filter(({ status }) => status === 'failed');
  expect(failed).toMatchObject([
    { job_id: 'directory', errors: [expect.stringContaining('it is not a file')] },
    { job_id: 'pipe', errors: [expect.stringContaining('it is not a file')] },
  ]);
});

test('a chunk too large for a prompt has its id and schema told to a command; the extractive reader fails it alone', async () => {
  const fixture = new BatchFixture(['large', 'small']);
  fixture.write('chunks/large.txt', 'The code word of large is w-large.\n'.repeat(20_000));
  const worker = fixture.script(
    'worker.sh',
    `test "$2" = ${join(fixture.root, 'schema.json')} && ${ANSWER_LINE}`,
  );
  const batch = (runDir: string, ...args: string[]) =>
    rlm(['batch', '--jobs', 'jobs.jsonl', '--run-dir', runDir, ...args], { cwd: fixture.root });
  const told = await batch('told', '--command', worker, '{chunk_id}', '{schema_file}');
  expect(told.code, told.stderr).toBe(0);
  const read = await batch('run', '--worker', 'extractive');
  expect(read.code, read.stderr).toBe(2);
  expect(fixture.summary().results).toMatchObject([
    { job_id: 'large', failure_class: 'overflow', errors: [expect.stringContaining('limits.embed_bytes')] },
    { job_id: 'small', status: 'success' },
  ]);
});

test('an id with spaces around it has its result and its row without them', async () => {
  const fixture = new BatchFixture(['a'], () => ({ job_id: ' a ', output_path: ' subresults/a.json ' }));
  const args = ['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', '--worker', 'extractive'];
  const end = await rlm(args, { cwd: fixture.root });
  expect(end.code, end.stderr).toBe(0);
  expect(fixture.summary()).toMatchObject({
    jobs_succeeded: 1,
    results: [{ job_id: 'a', status: 'success', output_path: 'subresults/a.json' }],
  });
});

test('a driver that can write no more is told of with its last error, and a resume goes on', async () => {
  const ids = Array.from({ length: 60 }, (_, index) => `j-${index}`);
  const fixture = new BatchFixture(ids);
  const worker = fixture.script('worker.sh', ANSWER_LINE);
  const command = ['--command', worker, '--command', '{chunk_id}'];
  const batch = [RLM, 'batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', ...command];
  // No file may grow beyond 20 kB, as if the disk were full: the journal would.
  const shell = 'ulimit -f 40; exec "$@"';
  const full = spawnSync('sh', ['-c', shell, 'sh', process.execPath, ...batch], {
    cwd: fixture.root,
    encoding: 'utf8',
  });
  expect(full.status, full.stderr).not.toBe(0);
  const status = await rlm(['status', '--run-dir', 'run', '--json'], { cwd: fixture.root });
  expect(JSON.parse(status.stdout).run).toMatchObject({
    state: 'failed',
    reason: expect.stringMatching(/interrupted: its driver died \(EFBIG: file too large, write\)/),
  });
  const resumed = await rlm(['resume', '--run-dir', 'run'], { cwd: fixture.root });
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(fixture.summary()).toMatchObject({ jobs_succeeded: 60 });
  const accepted = fixture.events().flatMap((event) => (event.type === 'result' ? [event.result.id] : []));
  expect(accepted.sort()).toEqual([...ids].sort());
});

test('all results are in one file with their answers, and a line each in a resource', async () => {
  const ids = Array.from({ length: 40 }, (_, index) => `job-${index}`);
  const root = temporaryDirectory();
  const fixture = new BatchFixture(ids, () => ({}), 'unused');
  const answer = `[ $1 = c-job-7 ] && exit 1\n${ANSWER_LINE}`;
  const worker = fixture.script('worker.sh', answer);
  const args = ['--command', worker, '--command', '{chunk_id}', '--retries', '0', '--run-id', 'forty'];
  const end = await rlm(['batch', '--jobs', 'jobs.jsonl', '--root', root, ...args], { cwd: fixture.root });
  expect(end.code, end.stderr).toBe(2);
  const lines = readFileSync(join(root, '.rlm/runs/forty/out/results.jsonl'), 'utf8').trimEnd().split('\n');
  const results = lines.map((line) => JSON.parse(line));
  expect(results.map(({ job_id }) => job_id)).toEqual(ids);
  expect(results[6]).toMatchObject({ status: 'accepted', answer: { chunk_id: 'c-job-6', summary: 'ok' } });
  expect(results[7]).toMatchObject({ status: 'failed', failure_class: 'crashed', answer: null });

  const client = await connectClient(root);
  const { contents } = await client.readResource({ uri: 'rlm://runs/forty/results' });
  const page = z
    .object({ results: z.array(z.string()), path: z.string() })
    .parse(JSON.parse(z.object({ text: z.string() }).parse(contents[0]).text));
  expect(page.results).toHaveLength(40);
  for (const line of page.results) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(100);
  expect(page.results).toContain('job-6 accepted: ok');
  expect(page.results.find((line) => line.startsWith('job-7 failed: crashed'))).toBeDefined();
  expect(page.path).toContain('out/results.jsonl');
});
