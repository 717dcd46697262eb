/*
 * What stays small when the work is large: memory of the driver, resume, status, listing, and the start of the
 * server. Each beside a floor of the same run: bare node, a `ping`, or the same bytes through `cat`.
 * Run: node scripts/run.mjs bench/scale.ts [--only=memory,resume,status,list,start] [--jobs=100000] [--write]
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { z } from 'zod';
import { RUN_FILES } from '../src/contracts/index.ts';
import { createRun, listRuns, type RunHandle } from '../src/runs/index.ts';
import { writeJobs } from './jobs-file.ts';
import { megabytes, type Timed, timed, watched } from './programs.ts';
import { median, report, times } from './report.ts';

type Row = [what: string, measured: string, target: string, floor: string, ratio: string];

const RLM = resolve('dist/rlm.js');
const JOBS = Number(option('jobs') ?? 100_000);
const FINISHED = 10_000;
const RUNS = 10_000;
const RUN_ID = 'ten-thousand';
const STARTS = 15;
const ROUNDS = 5;
const CALLS = 50;
/** Some jobs failed or are open still: what a run that stops at its budget says. */
const EXIT_SOME = 2;
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
});
const Activity = z.looseObject({ driver: z.looseObject({ pid: z.int() }).optional() });

const base = realpathSync(mkdtempSync(join(tmpdir(), 'rlm-bench-')));
const parts: Record<string, () => Row[] | Promise<Row[]>> = { memory, resume, status, list, start };
try {
  writeFileSync(join(base, 'schema.json'), '{}');
  writeFileSync(join(base, 'chunk.txt'), 'The boiler is emptied in May.\n');
  const rows: Row[] = [];
  for (const name of option('only')?.split(',') ?? Object.keys(parts)) {
    const part = parts[name];
    if (part === undefined) throw new Error(`--only takes ${Object.keys(parts).join(', ')}`);
    console.error(`${name} …`);
    rows.push(...(await part()));
  }
  report({
    title: 'Scale (bench/scale.ts)',
    columns: ['what', 'measured', 'target', 'floor in the same run', '÷ floor'],
    rows,
    notes: [
      `Medians: of ${ROUNDS} resumes and listings, ${CALLS} calls, ${STARTS} alternating starts. Jobs go to the extractive reader, without the cache.`,
    ],
  });
} finally {
  rmSync(base, { recursive: true, force: true });
}

/** Peak memory of the driver, and of the command that checks, starts and follows it, over a whole batch. */
async function memory(): Promise<Row[]> {
  const run = join(base, 'run');
  const command: number[] = [];
  const batch = timed(process.execPath, batchOf(JOBS, ['--run-dir', run]), {
    cwd: base,
    onPid: (pid) => command.push(pid),
  });
  const following = watched(() => command, batch);
  const { value, peak } = await watched(() => driverOf(run), batch);
  expect(value, 0);
  const commandPeak = (await following).peak.one;
  rmSync(run, { recursive: true });
  const bare = (
    await watched(
      () => command,
      bareNode((pid) => command.splice(0, 1, pid)),
    )
  ).peak.one;
  const floor = `bare node: ${megabytes(bare)}`;
  const jobs = `${JOBS.toLocaleString('en')} jobs`;
  const rate = `${Math.round(JOBS / value.seconds)} jobs/s, ${((peak.cpuSeconds / JOBS) * 1000).toFixed(2)} ms of processor a job`;
  return [
    [`driver's memory, ${jobs} (${rate})`, megabytes(peak.one), '150 MB', floor, times(peak.one / bare)],
    [`the command's memory, ${jobs}`, megabytes(commandPeak), '', floor, times(commandPeak / bare)],
  ];
}

/** Resume of a run of which 10,000 jobs are done and one is to do, from the command's start to its exit. */
async function resume(): Promise<Row[]> {
  const run = await finishedRun();
  const taken: number[] = [];
  const floors: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const more = ['resume', '--run-dir', run, '--max-workers', String(FINISHED + round)];
    const end = await timed(process.execPath, [RLM, ...more], { cwd: base });
    expect(end, EXIT_SOME);
    taken.push(end.seconds);
    const read = `cat ${RUN_FILES.events} ${RUN_FILES.jobs}; find subresults -type f -print0 | xargs -0 cat | sha256sum`;
    floors.push((await timed('sh', ['-c', read], { cwd: run })).seconds);
  }
  const floor = median(floors);
  return [
    [
      'resume of 10,000 finished jobs, one to do',
      `${median(taken).toFixed(2)} s`,
      '2 s',
      `the same bytes through \`cat\`, results hashed: ${floor.toFixed(2)} s`,
      times(median(taken) / floor),
    ],
  ];
}

/** `rlm_status` of a run of 10,000 jobs in a running server, idle and at work, and as a command. */
async function status(): Promise<Row[]> {
  const run = await finishedRun();
  const { client, close } = await connect(base);
  const call = () => client.callTool({ name: 'rlm_status', arguments: { run_id: RUN_ID } });
  const ping = await middleOf(CALLS, () => client.ping());
  const idle = await middleOf(CALLS, call);
  const bytes = JSON.stringify((await call()).structuredContent).length;

  // The same while a driver writes: events since its last heartbeat are counted at each call.
  rmSync(run, { recursive: true });
  const batch = timed(process.execPath, batchOf(FINISHED, ['--run-id', RUN_ID]), { cwd: base });
  let over = false;
  void batch.then(() => {
    over = true;
  });
  while (driverOf(run).length === 0 && !over) await new Promise((done) => setTimeout(done, 50));
  const working: number[] = [];
  while (!over) {
    working.push(await millisecondsOf(call));
    await new Promise((done) => setTimeout(done, 97));
  }
  expect(await batch, 0);
  await close();

  const commands: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < STARTS; round += 1) {
    commands.push(
      (await timed(process.execPath, [RLM, 'status', RUN_ID, '--json'], { cwd: base })).seconds * 1000,
    );
    bare.push((await timed(process.execPath, ['-e', '0'], { cwd: base })).seconds * 1000);
  }
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const floor = `\`ping\` of the same server: ${ms(ping)}`;
  return [
    [`\`rlm_status\` at 10,000 jobs, finished (${bytes} B)`, ms(idle), '50 ms', floor, times(idle / ping)],
    [
      '`rlm_status` at 10,000 jobs, the driver at work',
      ms(median(working)),
      '50 ms',
      floor,
      times(median(working) / ping),
    ],
    [
      'the command `rlm status`',
      ms(median(commands)),
      '',
      `bare node: ${ms(median(bare))}`,
      times(median(commands) / median(bare)),
    ],
  ];
}

/** All of 10,000 runs, and a page of them from a running server. */
async function list(): Promise<Row[]> {
  const root = join(base, 'many');
  mkdirSync(root);
  for (let index = 0; index < RUNS; index += 1) {
    const run = createRun(root, {
      kind: 'batch',
      title: `run ${index}`,
      runId: `run-${String(index).padStart(5, '0')}`,
    });
    writeFileSync(join(run.dir, RUN_FILES.activity), activityOf(run));
  }
  const all = await middleOf(ROUNDS, () => {
    if (listRuns(root, { limit: RUNS }).runs.length !== RUNS) throw new Error('a run is missing in the list');
  });
  const cat = `find .rlm/runs -name run.json -o -name activity.json | xargs cat`;
  const floor = await middleOf(ROUNDS, () => timed('sh', ['-c', cat], { cwd: root }));
  const { client, close } = await connect(root);
  const ping = await middleOf(CALLS, () => client.ping());
  const page = await middleOf(CALLS, () => client.callTool({ name: 'rlm_status', arguments: { limit: 20 } }));
  await close();
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  return [
    [
      'list of 10,000 runs, all',
      ms(all),
      '500 ms',
      `the same files through \`cat\`: ${ms(floor)}`,
      times(all / floor),
    ],
    [
      'list of 10,000 runs, a page in a running server',
      ms(page),
      '500 ms',
      `\`ping\`: ${ms(ping)}`,
      times(page / ping),
    ],
  ];
}

/** From the spawn of `rlm mcp` to its answer to `initialize`, against a bare node that echoes a line. */
async function start(): Promise<Row[]> {
  const echo = "process.stdin.once('data', (line) => process.stdout.write(line))";
  const taken: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < STARTS; round += 1) {
    taken.push(await firstAnswer([RLM, 'mcp', '--root', base]));
    bare.push(await firstAnswer(['-e', echo]));
  }
  const ms = (value: number) => `${Math.round(value)} ms`;
  return [
    [
      'start of the server to `initialize`',
      ms(median(taken)),
      '3.00×',
      `bare node that echoes the line: ${ms(median(bare))}`,
      times(median(taken) / median(bare)),
    ],
  ];
}

/** Milliseconds from the spawn of a node to its first line, which answers ours. */
function firstAnswer(args: string[]): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.write(`${INITIALIZE}\n`);
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.stdout.once('data', () => {
      const taken = performance.now() - started;
      child.once('close', () => done(taken));
      child.stdin.end();
    });
  });
}

/** A run of 10,000 accepted jobs that stopped at its limit, with a few more to do; made once. */
async function finishedRun(): Promise<string> {
  const run = join(base, '.rlm', 'runs', RUN_ID);
  if (driverOf(run).length > 0) return run;
  const args = batchOf(FINISHED + 2 * ROUNDS, ['--run-id', RUN_ID, '--max-workers', String(FINISHED)]);
  expect(await timed(process.execPath, args, { cwd: base }), EXIT_SOME);
  return run;
}

/** Arguments of a batch of the extractive reader over so many jobs. */
function batchOf(count: number, where: string[]): string[] {
  const file = join(base, `jobs-${count}.jsonl`);
  writeJobs(file, count, 'When is the boiler emptied?');
  return [RLM, 'batch', '--jobs', file, ...where, '--worker', 'extractive', '--parallel', '8', '--no-cache'];
}

/** The driver that works on a run, or did; none before it is there. */
function driverOf(run: string): number[] {
  try {
    const { driver } = Activity.parse(JSON.parse(readFileSync(join(run, RUN_FILES.activity), 'utf8')));
    return driver === undefined ? [] : [driver.pid];
  } catch {
    return [];
  }
}

/** A record such as a driver leaves behind, of the usual size. */
function activityOf(run: RunHandle): string {
  const { run_id, kind, created_at, created_by, root } = run.record;
  const params = {
    worker: 'extractive',
    lane: 'auto',
    base_dir: root,
    parallel: 8,
    timeout_sec: 600,
    budget: {},
  };
  const record = {
    schema_version: 1,
    run_id,
    kind,
    state: 'completed',
    params,
    created_at,
    driver: created_by,
  };
  return `${JSON.stringify(record, null, 2)}\n`;
}

function bareNode(onPid: (pid: number) => void): Promise<Timed> {
  return timed(process.execPath, ['-e', 'setTimeout(() => {}, 1000)'], { cwd: base, onPid });
}

async function connect(root: string): Promise<{ client: Client; close: () => Promise<void> }> {
  const client = new Client({ name: 'rlm-bench', version: '1' });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [RLM, 'mcp', '--root', root],
      stderr: 'inherit',
    }),
  );
  return { client, close: () => client.close() };
}

/** Median milliseconds of some work, after it was done once. */
async function middleOf(rounds: number, work: () => unknown): Promise<number> {
  await work();
  const taken: number[] = [];
  for (let round = 0; round < rounds; round += 1) taken.push(await millisecondsOf(work));
  return median(taken);
}

async function millisecondsOf(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function expect({ code, stdout, stderr }: Timed, wanted: number): void {
  if (code !== wanted) throw new Error(`exit ${code}, not ${wanted}\n${stdout}${stderr}`);
}

function option(name: string): string | undefined {
  return process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
}
