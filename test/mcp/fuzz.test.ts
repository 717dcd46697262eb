import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { Seeded } from '../evidence/seeded.ts';
import { RawClient } from '../support/raw-client.ts';
import { exitOf, startRlm } from '../support/rlm.ts';
import { finishedBatch, jobId, place, temporaryDirectory } from '../support/runs.ts';

const CALLS = 1000;
const AT_ONCE = 200;

const CODES = [
  'usage',
  'not_found',
  'conflict',
  'forbidden',
  'unavailable',
  'limit',
  'corrupt',
  'internal',
] as const;
const Failure = z.strictObject({
  code: z.enum(CODES),
  message: z.string().min(1).max(2000),
  hint: z.strictObject({
    text: z.string().min(1),
    action: z.strictObject({ tool: z.string(), args: z.record(z.string(), z.unknown()) }).optional(),
  }),
  retryable: z.boolean(),
  choices: z.unknown().optional(),
});
const CallResult = z.object({
  isError: z.boolean().optional(),
  content: z.tuple([z.object({ type: z.literal('text'), text: z.string() })]),
});
const ToolList = z.object({
  tools: z.array(
    z.object({
      name: z.string(),
      inputSchema: z.object({ properties: z.record(z.string(), z.looseObject({})) }),
    }),
  ),
});

const HOSTILE: readonly unknown[] = [
  null,
  '',
  ' ',
  '../../etc/passwd',
  '/etc',
  'x'.repeat(20_000),
  '\u0000\u001b[2J\ud800',
  '__proto__',
  -1,
  0,
  1.5,
  1e308,
  true,
  [],
  {},
  [null],
  [[['deep']]],
  { __proto__: { polluted: true } },
  'rlm://runs',
  'rlm://runs/%2e%2e/answer?x=1',
];

/** What a field may be given so that a call gets past its checks; undefined: nothing. */
function likely(field: string, random: Seeded): unknown {
  switch (field) {
    case 'run_id':
      return random.pick(['batch-1', 'batch-2', 'batch-3', 'plan-1', 'none', 'made-up']);
    case 'uri':
      return `rlm://runs/${random.pick(['batch-1', 'batch-2', 'plan-1'])}${random.pick(['', '/jobs', '/events', '/results', '/plan', '/answer', `/jobs/${jobId(1)}`, '/jobs?state=failed', '/events?cursor=tail'])}`;
    case 'input':
      return ['docs'];
    case 'question':
    case 'goal':
    case 'goal_summary':
      return 'How long?';
    case 'questions':
    case 'queries':
      return ['How long?'];
    case 'tasks':
      return [{ worker_id: 'map-0001', goal: 'Look.' }];
    case 'worker':
      return 'extractive';
    case 'chunk_id':
      return 'c-000001';
    case 'wait_sec':
      return 0;
    default:
      return undefined;
  }
}

/** Makes a run one that a process drove which is gone: a cancel of a broken run ends whoever is named as its driver. */
function disown(runDir: string): void {
  const { pid } = spawnSync('true');
  for (const name of ['run.json', 'activity.json', 'events.jsonl']) {
    const path = join(runDir, name);
    const own = new RegExp(`("pid": ?)${process.pid}\\b`, 'g');
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(own, `$1${pid}`));
  }
}

/** Breaks a run in one of the ways in which files break. */
function damage(runs: string, random: Seeded): void {
  const names = readdirSync(runs).filter((name) => !name.endsWith('.moved'));
  if (names.length === 0) return;
  const run = join(runs, random.pick(names));
  const file = join(
    run,
    random.pick(['run.json', 'activity.json', 'events.jsonl', 'jobs.jsonl', 'plan.json', 'subresults']),
  );
  const ways = [
    () => rmSync(run, { recursive: true, force: true }),
    () => rmSync(`${run}.moved`, { recursive: true, force: true }),
    () => renameSync(run, `${run}.moved`),
    () => rmSync(file, { recursive: true, force: true }),
    () => truncateSync(file, 10),
    () => writeFileSync(file, '{"a":'),
    () => writeFileSync(file, Buffer.from([0xff, 0xfe, 0x00, 0x0a])),
    () => {
      rmSync(file, { recursive: true, force: true });
      mkdirSync(file, { recursive: true });
    },
    () => {
      rmSync(file, { recursive: true, force: true });
      symlinkSync('/etc/hostname', file);
    },
  ];
  try {
    random.pick(ways)();
  } catch {
    // It was broken already, or is being written: that is damage enough.
  }
}

test('a thousand wild calls, 200 at once, while runs are deleted and damaged: the server answers each', async () => {
  const root = temporaryDirectory();
  place(join(root, 'docs/a.md'), '# Reactor\n\nThe reactor cools for nine hours.\n');
  const runs = join(root, '.rlm/runs');
  const random = new Seeded(20261128);
  const makeRuns = () => {
    for (const runId of ['batch-1', 'batch-2', 'batch-3'])
      if (!existsSync(join(runs, runId)))
        disown(finishedBatch(root, { jobs: 20, failed: [jobId(3)], runId }).dir);
  };
  makeRuns();
  const programs = join(root, 'programs');
  mkdirSync(programs);
  symlinkSync(process.execPath, join(programs, 'node'));
  // Without Codex and Claude: what is tried here is the server.
  const env = { PATH: programs, RLM_CODEX: '', RLM_CLAUDE: '' };
  const server = startRlm(['mcp', '--root', root], { env });
  const exit = exitOf(server);
  const client = new RawClient(server);
  await client.initialize();
  const { tools } = ToolList.parse(await client.request('tools/list'));

  const failures = new Map<string, number>();
  let answered = 0;
  const call = async () => {
    const tool = random.pick(tools);
    const args: Record<string, unknown> = {};
    const wild = random.pick([0, 0, 0.1, 0.5]);
    for (const field of Object.keys(tool.inputSchema.properties)) {
      const value = random.next() < wild ? random.pick(HOSTILE) : likely(field, random);
      if (value !== undefined && random.next() < 0.8) args[field] = value;
    }
    if (random.next() < wild) args.unknown_field = random.pick(HOSTILE);
    // Nobody waits here for what a thousand calls started.
    if ('wait_sec' in tool.inputSchema.properties) args.wait_sec = 0;
    const result = CallResult.parse(await client.request('tools/call', { name: tool.name, arguments: args }));
    answered += 1;
    expect(Buffer.byteLength(result.content[0].text)).toBeLessThan(16_384);
    if (result.isError !== true) return;
    const failure = Failure.parse(JSON.parse(result.content[0].text));
    failures.set(failure.code, (failures.get(failure.code) ?? 0) + 1);
  };
  const breaking = setInterval(() => {
    damage(runs, random);
    if (random.next() < 0.3) makeRuns();
  }, 10);
  try {
    for (let left = CALLS; left > 0; left -= AT_ONCE)
      await Promise.all(Array.from({ length: Math.min(left, AT_ONCE) }, call));
  } finally {
    clearInterval(breaking);
  }
  expect(answered).toBe(CALLS);
  expect(server.exitCode).toBeNull();
  await client.request('ping');
  console.info('errors by code:', Object.fromEntries(failures));
  expect(failures.get('usage')).toBeGreaterThan(100);
  server.stdin?.end();
  // Drivers of runs that were deleted under them say so there too; a line of the server's log is a fault of its own.
  const { stderr } = await exit;
  expect(stderr.split('\n').filter((line) => line.startsWith('{"time"'))).toEqual([]);
}, 240_000);
