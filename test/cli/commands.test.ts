import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ActivityRecord, BatchSummary, RunRecord } from '../../src/contracts/index.ts';
import { lockDriver } from '../../src/runs/index.ts';
import { TOOLS } from '../../src/tools/index.ts';
import { BUNDLE, exitOf, rlm, startRlm } from '../support/rlm.ts';
import { finishedBatch, jobId, temporaryDirectory, writeActivity } from '../support/runs.ts';
import { until } from '../workers/request.ts';

/**
 * A jobs file, and a program that answers: jobs named in `wrong` get another chunk's id, and with `slow` each
 * takes a minute.
 */
function batchOf(
  directory: string,
  jobs: number,
  options: { wrong?: number[]; slow?: boolean } = {},
): string[] {
  writeFileSync(join(directory, 'schema.json'), '{"type":"object"}');
  const lines = Array.from({ length: jobs }, (_, index) => {
    writeFileSync(join(directory, `c${index}.txt`), `text of chunk ${index}\n`);
    return JSON.stringify({
      job_id: `j${index}`,
      chunk_id: `c-${index}`,
      chunk_path: `c${index}.txt`,
      question: 'What is it?',
      output_path: `subresults/j${index}.json`,
      schema_path: 'schema.json',
      sandbox: 'read-only',
    });
  });
  writeFileSync(join(directory, 'jobs.jsonl'), `${lines.join('\n')}\n`);
  const wrong = (options.wrong ?? []).map((index) => `c-${index}`);
  writeFileSync(
    join(directory, 'worker.mjs'),
    `const [chunk] = process.argv.slice(2);
${options.slow ? 'setTimeout(answer, 60_000);' : 'answer();'}
function answer() {
  const chunk_id = ${JSON.stringify(wrong)}.includes(chunk) ? 'another' : chunk;
  console.log(JSON.stringify({ chunk_id, relevant: false, summary: 's', confidence: 0.5, evidence: [], gaps: [], errors: [] }));
}
`,
  );
  const worker = ['--command', process.execPath, join(directory, 'worker.mjs'), '{chunk_id}'];
  return ['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'out', '--retries', '0', ...worker];
}

test.each([
  { wrong: [], code: 0, counts: 'jobs_total=4 jobs_succeeded=4 jobs_failed=0' },
  { wrong: [1], code: 2, counts: 'jobs_total=4 jobs_succeeded=3 jobs_failed=1' },
  { wrong: [0, 1, 2, 3], code: 3, counts: 'jobs_total=4 jobs_succeeded=0 jobs_failed=4' },
])('a batch ends with $code and says $counts', async ({ wrong, code, counts }) => {
  const cwd = temporaryDirectory();
  const exit = await rlm(batchOf(cwd, 4, { wrong }), { cwd });
  expect(exit.stderr).toContain(`4/4 done, ${wrong.length} failed`);
  expect(exit.stderr.match(/^failed: j\d \(invalid_output/gm) ?? []).toHaveLength(wrong.length);
  expect(exit.code).toBe(code);
  const path = join(cwd, 'out', 'summary.json');
  expect(exit.stdout.trimEnd().split('\n').slice(-3)).toEqual([
    `summary: ${path}`,
    counts,
    'usage_totals=input_tokens=0 cached_input_tokens=0 output_tokens=0',
  ]);
  expect(BatchSummary.parse(JSON.parse(readFileSync(path, 'utf8'))).jobs_failed).toBe(wrong.length);
});

test.each([
  [
    ['batch', '--jobs', 'nope.jsonl', '--run-dir', 'out', '--model', ' '],
    /^error: --model must be a non-empty string$/m,
  ],
  [['batch', '--jobs', 'nope.jsonl', '--run-dir', 'out'], /^error: --jobs does not exist: .*nope\.jsonl$/m],
  [['batch', '--run-dir', 'out'], /^error: --jobs/m],
  [['batch'], /^error: --jobs is required$/m],
  [['status', '--watch'], /^error: --watch needs a run$/m],
  [['ask', 'q', '--input', '.', '--sample', '2'], /^error: --sample needs a dry run$/m],
  [['batch', '--jobs', 'x', '--parallel', 'many'], /--parallel <n>.*must be a number/],
  [['batch', '--jobs', 'x', '--parallel', '0'], /^error: --parallel: .*>0/m],
  [['batch', '--jobs', 'x', '--worker', 'gpt'], /Allowed choices are auto, codex/],
  [['batch', '--jobs', 'x', '--paralel', '2'], /unknown option.*\n.*Did you mean --parallel/],
  [['batsh'], /unknown command 'batsh'\n.*Did you mean batch/],
  [['status', 'no-such-run'], /^error: no run in .*no-such-run$/m],
  [['wait'], /^error: --run-id is required$/m],
  [['runs', '--limit', '1000'], /^error: --limit: .*100/m],
  [['runs', '--root', '/no/such/place'], /is not a directory/],
])('wrong usage is exit 1, in words: rlm %j', async (args, message) => {
  const exit = await rlm(args, { cwd: temporaryDirectory() });
  expect(exit.stderr).toMatch(message);
  expect(exit.stdout).toBe('');
  expect(exit.code).toBe(1);
});

test('places that are no place for a run are refused, and nothing in them is touched', async () => {
  const cwd = temporaryDirectory();
  const args = batchOf(cwd, 2);
  const to = (place: string, ...more: string[]) =>
    rlm([...args.map((arg) => (arg === 'out' ? place : arg)), ...more], { cwd });
  expect(await to('c0.txt')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`error: --run-dir is not a directory: ${join(cwd, 'c0.txt')}\n`),
  });
  expect(await to('out', '--codex-home', 'c0.txt')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`error: --codex-home is not a directory: ${join(cwd, 'c0.txt')}\n`),
  });
  const foreign = join(cwd, 'foreign', 'jobs.jsonl');
  mkdirSync(join(cwd, 'foreign'));
  writeFileSync(foreign, 'mine\n');
  const refused = await to('foreign');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`error: ${foreign} is there already and is of no run`);
  expect(readdirSync(join(cwd, 'foreign'))).toEqual(['jobs.jsonl']);
  expect(readFileSync(foreign, 'utf8')).toBe('mine\n');
  const own = args.map((arg) => (arg === 'out' ? '.' : arg));
  expect((await rlm(own, { cwd })).code).toBe(0);
});

test('a worker and a command contradict each other', async () => {
  const cwd = temporaryDirectory();
  const exit = await rlm([...batchOf(cwd, 1), '--worker', 'codex'], { cwd });
  expect(exit).toMatchObject({ code: 1, stderr: expect.stringContaining('give either worker codex, or a') });
});

test('a batch does not take the place of a run of another kind', async () => {
  const cwd = temporaryDirectory();
  const batch = batchOf(cwd, 1);
  const ask = ['ask', 'What is it?', '--input', 'c0.txt', '--worker', 'extractive', '--run-id', 'asked'];
  expect((await rlm(ask, { cwd })).code).toBe(0);
  const dir = join(cwd, '.rlm', 'runs', 'asked');
  const before = readFileSync(join(dir, 'activity.json'), 'utf8');
  const exit = await rlm(
    batch.map((arg) => (arg === 'out' ? dir : arg)),
    { cwd },
  );
  expect(exit).toMatchObject({ code: 1, stderr: expect.stringContaining("holds a run of kind 'ask'") });
  expect(readFileSync(join(dir, 'activity.json'), 'utf8')).toBe(before);
});

test('a command named by a path is the one that is seen from where the user stands', async () => {
  const root = temporaryDirectory();
  const cwd = join(root, 'below');
  mkdirSync(cwd);
  writeFileSync(join(cwd, 'worker.sh'), '#!/bin/sh\nexit 3\n', { mode: 0o755 });
  const [batch = '', ...args] = batchOf(cwd, 1);
  const jobs = args.slice(0, args.indexOf('--command'));
  const exit = await rlm([batch, ...jobs, '--root', root, '--retries', '0', '--command', './worker.sh'], {
    cwd,
  });
  expect(exit.stderr).toContain('worker.sh exited with code 3');
});

test('a variable that is exported but empty is not given', async () => {
  const cwd = temporaryDirectory();
  const env = { CODEX_SUBAGENT_PROFILE: '', CODEX_SUBAGENT_CODEX_HOME: '', CODEX_SUBAGENT_CWD: '' };
  expect((await rlm(batchOf(cwd, 1), { cwd, env })).code).toBe(0);
  const { params } = RunRecord.parse(JSON.parse(readFileSync(join(cwd, 'out', 'run.json'), 'utf8')));
  for (const option of ['profile', 'codex_home', 'worker_cwd']) expect(params).not.toHaveProperty(option);
});

test('a followed batch ends with its state, once, and with --json as data', async () => {
  const cwd = temporaryDirectory();
  const plain = await rlm(batchOf(cwd, 2), { cwd });
  expect(plain.stderr.match(/^completed: 2\/2 done/gm)).toHaveLength(1);
  const asData = await rlm([...batchOf(cwd, 2), '--json'], { cwd });
  expect(JSON.parse(asData.stdout)).toMatchObject({
    run_id: 'out',
    state: 'completed',
    driver: 'ended',
    progress: { total: 2, accepted: 2 },
  });
  const status = await rlm(['status', '--run-dir', 'out'], { cwd });
  expect(status.stdout).toContain('  rlm read');
});

test('a wait ends as the run did, and with a code of its own while that goes on', async () => {
  const root = temporaryDirectory();
  const codeOf = async (jobs: number, failed: string[]) =>
    (await rlm(['wait', finishedBatch(root, { jobs, failed }).id], { cwd: root })).code;
  expect(await codeOf(2, [])).toBe(0);
  expect(await codeOf(2, [jobId(1)])).toBe(2);
  expect(await codeOf(1, [jobId(1)])).toBe(3);
  const run = finishedBatch(root, { jobs: 2 });
  const lock = lockDriver(run.dir, 'test');
  writeActivity(run, { state: 'working', heartbeat_at: new Date().toISOString() });
  const wait = ['wait', run.id, '--wait-sec', '1', '--json'];
  const waited = await rlm(wait, { cwd: root });
  const looked = await rlm([...wait, '--until', 'change'], { cwd: root });
  lock.release();
  expect(waited.code).toBe(124);
  expect(JSON.parse(waited.stdout)).toMatchObject({ state: 'working' });
  expect(looked.code).toBe(0);
});

test.each([
  [['status', 'no-such-run', '--json'], 'not_found', /^no run in .*no-such-run$/],
  [['wait', '--json'], 'usage', /^--run-id is required$/],
  [['runs', '--json', '--limti', '3'], 'usage', /^unknown option '--limti'/],
  [['ask', '--json', '--worker', 'gpt'], 'usage', /Allowed choices/],
])('with --json an error is data too: rlm %j', async (args, code, message) => {
  const exit = await rlm(args, { cwd: temporaryDirectory() });
  expect(exit.code).toBe(1);
  expect(JSON.parse(exit.stdout)).toEqual({
    error: expect.objectContaining({ code, message: expect.stringMatching(message), retryable: false }),
  });
  expect(exit.stderr).toMatch(/^error: /);
});

test('a reader that has gone ends a command quietly', async () => {
  const root = temporaryDirectory();
  finishedBatch(root, { jobs: 1 });
  const child = startRlm(['runs', '--json'], { cwd: root });
  child.stdout?.destroy();
  expect(await exitOf(child)).toMatchObject({ code: 141, stderr: '' });
});

test('a hint speaks of commands, and what a file says cannot write to the terminal', async () => {
  const cwd = temporaryDirectory();
  const args = batchOf(cwd, 2, { slow: true });
  const first = startRlm(args, { cwd });
  const exit = exitOf(first);
  await firstLine(first, 'running');
  const second = await rlm(args, { cwd });
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(
    /is being driven by pid \d+ .*\nWait for it, or cancel it, first\.\n {2}rlm wait --run out\n/,
  );
  await rlm(['cancel', '--run-dir', 'out'], { cwd });
  await exit;
  writeFileSync(join(cwd, 'jobs.jsonl'), '{"job_id": \u001b[31m}\n');
  const wrong = await rlm(args, { cwd });
  expect(wrong.stderr).toMatch(/^error: line 1: not valid JSON/);
  expect(wrong.stderr).not.toContain('\u001b');
});

test('--json prints exactly the structured result', async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 5, failed: [jobId(1)] });
  const status = await rlm(['status', '--run', run.id, '--json'], { cwd: root });
  expect(JSON.parse(status.stdout)).toMatchObject({
    run: { run_id: run.id, progress: { total: 5, failed: 1 } },
  });
  const runs = await rlm(['runs', '--json', '--root', root]);
  expect(JSON.parse(runs.stdout)).toMatchObject({ total: 1, runs: [{ run_id: run.id, state: 'failed' }] });
});

test('a run is named by its id, by --run, or by a directory anywhere', async () => {
  const root = temporaryDirectory();
  const run = finishedBatch(root, { jobs: 2 });
  const elsewhere = temporaryDirectory();
  for (const [args, cwd] of [
    [['status', run.id], root],
    [['status', '--run', run.id], root],
    [['status', '--run-id', run.id, '--root', root], elsewhere],
    [['status', '--run-dir', run.dir], elsewhere],
    [['status', run.dir], elsewhere],
  ] as const) {
    const exit = await rlm([...args], { cwd });
    expect(exit, args.join(' ')).toMatchObject({ code: 0, stderr: '' });
    expect(exit.stdout).toContain(`run_id   ${run.id}`);
  }
});

test('what a worker said cannot write to the terminal', async () => {
  const root = temporaryDirectory();
  finishedBatch(root, { jobs: 1, title: 'red \u001b[31m and \u0007 bell' });
  const { stdout } = await rlm(['runs'], { cwd: root });
  expect(stdout).toContain('red and bell');
  expect(stdout).not.toContain('\u001b');
});

test('Ctrl-C cancels the run and waits for it; resume takes it up again', async () => {
  const cwd = temporaryDirectory();
  const args = batchOf(cwd, 3, { slow: true });
  const batch = startRlm(args, { cwd });
  const exit = exitOf(batch);
  await firstLine(batch, 'running');
  batch.kill('SIGINT');
  expect(await exit).toMatchObject({ code: 130, stderr: expect.stringContaining('cancelled') });
  const status = await rlm(['status', '--run-dir', 'out', '--json'], { cwd });
  expect(JSON.parse(status.stdout)).toMatchObject({ run: { state: 'cancelled', driver: 'ended' } });
  batchOf(cwd, 3);
  const resumed = await rlm(['resume', '--run-dir', 'out'], { cwd });
  expect(resumed.code).toBe(0);
  expect(resumed.stdout).toContain('jobs_total=3 jobs_succeeded=3 jobs_failed=0');
});

test('a second Ctrl-C leaves at once when the driver does not answer', async () => {
  const cwd = temporaryDirectory();
  const batch = startRlm(batchOf(cwd, 2, { slow: true }), { cwd });
  const exit = exitOf(batch);
  await firstLine(batch, 'running');
  const activity = ActivityRecord.parse(JSON.parse(readFileSync(join(cwd, 'out', 'activity.json'), 'utf8')));
  const driver = activity.driver?.pid ?? 0;
  process.kill(driver, 'SIGSTOP');
  batch.kill('SIGINT');
  await firstLine(batch, 'cancelling');
  batch.kill('SIGINT');
  expect((await exit).code).toBe(130);
  // The cancel is under way: the driver sees to it as soon as it can.
  process.kill(driver, 'SIGCONT');
  const ended = await rlm(['wait', '--run-dir', 'out', '--json'], { cwd });
  expect(JSON.parse(ended.stdout)).toMatchObject({ state: 'cancelled', driver: 'ended' });
});

test('Ctrl-C ends a wait, not the run', async () => {
  const cwd = temporaryDirectory();
  const detached = await rlm([...batchOf(cwd, 2, { slow: true }), '--detach'], { cwd });
  expect(detached.code).toBe(0);
  const wait = startRlm(['wait', '--run-dir', 'out', '--json'], { cwd });
  const exit = exitOf(wait);
  await until(() => (watchesFiles(wait.pid) ? true : undefined));
  wait.kill('SIGINT');
  const { code, stdout } = await exit;
  expect(code).toBe(130);
  expect(JSON.parse(stdout)).toMatchObject({ state: 'working', driver: 'alive' });
  await rlm(['cancel', '--run-dir', 'out'], { cwd });
});

test('a file where the state goes is told with what to do', async () => {
  const cwd = temporaryDirectory();
  writeFileSync(join(cwd, '.rlm'), '');
  const exit = await rlm(['runs'], { cwd });
  expect(exit).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^error: .*\.rlm.*\nA file is where/),
  });
});

test('a terminal that closes leaves the run going', async () => {
  const cwd = temporaryDirectory();
  const batch = startRlm(batchOf(cwd, 2, { slow: true }), { cwd });
  const exit = exitOf(batch);
  await firstLine(batch, 'running');
  batch.kill('SIGHUP');
  expect((await exit).code).toBe(129);
  const status = await rlm(['status', '--run-dir', 'out', '--json'], { cwd });
  expect(JSON.parse(status.stdout)).toMatchObject({ run: { state: 'working', driver: 'alive' } });
  const cancel = await rlm(['cancel', '--run-dir', 'out'], { cwd });
  expect(cancel).toMatchObject({ code: 0, stdout: expect.stringContaining('rlm resume --run-dir') });
});

test.skipIf(!existsSync('/usr/bin/script'))(
  'a real terminal that goes ends the command as a hang-up does',
  async () => {
    const cwd = temporaryDirectory();
    const command = [process.execPath, BUNDLE, ...batchOf(cwd, 2, { slow: true })]
      .map((arg) => `'${arg}'`)
      .join(' ');
    // The shell outlives the terminal, and says how the command ended.
    const shell = `trap '' HUP; ${command}; echo $? > code.part; mv code.part code`;
    const terminal = spawn('/usr/bin/script', ['-qfc', shell, '/dev/null'], {
      cwd,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => {
      terminal.kill('SIGKILL');
    });
    for (let seen = ''; !seen.includes('running of'); )
      seen += String((await once(terminal.stdout, 'data'))[0]);
    terminal.kill('SIGKILL');
    await until(() => (existsSync(join(cwd, 'code')) ? true : undefined));
    // 134 or 139 would be an abort, with a core dump.
    expect(readFileSync(join(cwd, 'code'), 'utf8')).toBe('129\n');
    await rlm(['cancel', '--run-dir', 'out'], { cwd });
  },
);

test('--detach returns at once and the run can be watched by another', async () => {
  const cwd = temporaryDirectory();
  const detached = await rlm(
    [
      ...batchOf(cwd, 3).filter((arg, at, all) => arg !== '--run-dir' && all[at - 1] !== '--run-dir'),
      '--detach',
      '--json',
    ],
    { cwd },
  );
  expect(detached.code).toBe(0);
  const { run_id } = JSON.parse(detached.stdout);
  const watched = await rlm(['status', run_id, '--watch'], { cwd });
  expect(watched.code).toBe(0);
  expect(watched.stdout).toContain('jobs_total=3 jobs_succeeded=3 jobs_failed=0');
});

test.each(TOOLS.flatMap((tool) => tool.command?.examples ?? []))(
  'rlm %s is a command line that parses',
  async (line) => {
    const words = [...line.replace(/;.*/, '').matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, plain]) => quoted ?? plain ?? '',
    );
    // The empty root has nothing of what the example names: it is found wrong only after its options were read.
    const { stderr } = await rlm(words, { cwd: temporaryDirectory() });
    expect(stderr).toMatch(
      /^(error: (no run in|input '|--jobs |run 'my-|no validator was found)|failed: 0\/0 done)/,
    );
  },
);

test('help names every command, and each its options with their defaults', async () => {
  const help = await rlm(['--help']);
  for (const name of ['batch', 'status', 'wait', 'cancel', 'resume', 'runs', 'doctor', 'demo', 'mcp']) {
    expect(help.stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  }
  const batch = (await rlm(['batch', '--help'])).stdout;
  for (const flag of [
    '--jobs <file>',
    '--run-dir <dir>',
    '--parallel <n>',
    '--timeout-sec <n>',
    '--retries <n>',
    '--runner-script <file>',
    '--model <text>',
    '--profile <text>',
    '--codex-home <dir>',
    '--worker-cwd <dir>',
    '--skip-git-repo-check',
    '--no-skip-git-repo-check',
    '--max-tokens <n>',
    '--no-cache',
  ]) {
    expect(batch).toContain(flag);
  }
  // What is said to agents, or said twice, is not said here.
  expect(batch).not.toMatch(/\(choices:/);
  expect(batch).toMatch(/with\s+--detach\s+it\s+returns\s+at\s+once/);
  expect(batch).toMatch(/^Examples:\n {2}rlm batch --jobs jobs\.jsonl/m);
  expect((await rlm(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

/** Whether a process has come so far that it waits for changes of files. */
function watchesFiles(pid: number | undefined): boolean {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).some((fd) => {
    try {
      return readlinkSync(join(directory, fd)) === 'anon_inode:inotify';
    } catch {
      return false;
    }
  });
}

/** Waits until stderr holds a text. */
async function firstLine(child: ReturnType<typeof startRlm>, text: string): Promise<void> {
  for (let seen = ''; !seen.includes(text); ) {
    if (child.stderr === null) throw new Error('stderr is not a pipe');
    const [chunk] = await once(child.stderr, 'data');
    seen += String(chunk);
  }
}
