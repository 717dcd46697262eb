import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { ActivityRecord, FinalReport, InflightFile, Plan } from '../../src/contracts/index.ts';
import { orchestratorLock, releaseAllOrchestratorLocks } from '../../src/runs/index.ts';
import { sha256 } from '../../src/text/index.ts';
import { callTool, createContext, TOOLS } from '../../src/tools/index.ts';
import { fakeProvider, isolatedCodex } from '../support/codex-home.ts';
import { startModelServer } from '../support/model-server.ts';
import { BUNDLE, rlm } from '../support/rlm.ts';
import { finishedBatch, place, temporaryDirectory } from '../support/runs.ts';
import type { ScriptedReply } from '../support/script.ts';
import { spawnedTasks, taskWorker } from '../support/task-worker.ts';

const RUN = 'plan-run';

/** A root, and its tools as a client over MCP has them. */
function caller() {
  const root = temporaryDirectory();
  const program = taskWorker(root);
  place(join(root, '.rlm', 'config.json'), JSON.stringify({ commands: { tasks: program } }));
  onTestFinished(releaseAllOrchestratorLocks);
  return {
    root,
    dir: join(root, '.rlm', 'runs', RUN),
    program,
    command: 'tasks',
    call(name: string, input: Record<string, unknown>) {
      const tool = TOOLS.find((candidate) => candidate.name === `rlm_${name}`);
      if (tool === undefined) throw new Error(`no tool ${name}`);
      const { signal } = new AbortController();
      const context = createContext({ root, cwd: root, caller: 'mcp', signal, progress() {} });
      // These tests look at the work while it goes on.
      return callTool(tool, 'wait_sec' in tool.input.shape ? { wait_sec: 0, ...input } : input, context);
    },
    launches() {
      const file = join(root, '.rlm', 'runs', RUN, 'artifacts/scheduler/inflight.json');
      return InflightFile.parse(JSON.parse(readFileSync(file, 'utf8'))).workers;
    },
  };
}
type Caller = ReturnType<typeof caller>;

const tasks = (...ids: string[]) => ids.map((worker_id) => ({ worker_id, goal: `Look into ${worker_id}.` }));
const started = (result: Record<string, unknown>) => z.array(z.string()).parse(result.started);

function plan({ call }: Caller, input: Record<string, unknown>) {
  return call('plan', { run_id: RUN, goal_summary: 'Find out', ...input });
}

async function ended({ call }: Caller) {
  for (;;) {
    const report = await call('wait', { run_id: RUN, wait_sec: 20 });
    if (report.state !== 'working') return report;
  }
}

test('a plan comes from a file too, asks for what its contract lacks, and is revised by the same tool', async () => {
  const at = caller();
  place(
    join(at.root, 'plan.json'),
    JSON.stringify({ goal_summary: 'From a file', tasks: tasks('map-0001') }),
  );
  const made = await at.call('plan', { run_id: RUN, file: 'plan.json', goal_summary: 'From the call' });
  expect(made).toMatchObject({
    iteration: 1,
    changed: true,
    added: ['map-0001'],
    tasks: { map: 1, verify: 0 },
  });
  expect(
    z
      .array(z.object({ field: z.string() }))
      .parse(made.missing)
      .map(({ field }) => field),
  ).toContain('contract.verification.interpreter');
  expect(readFileSync(join(at.dir, 'plan.json'), 'utf8')).toContain('From the call');
  const revised = await at.call('plan', { run_id: RUN, tasks: tasks('map-0002') });
  expect(revised).toMatchObject({ iteration: 2, added: ['map-0002'], tasks: { total: 2 } });
  expect(await at.call('plan', { run_id: RUN })).toMatchObject({ iteration: 2, changed: false });
});

test('the start of a run deletes archives that are past their ttl', async () => {
  const at = caller();
  const old = finishedBatch(at.root, { jobs: 1 });
  const { path } = await at.call('archive', { run_id: old.id, ttl_days: 1 });
  const file = join(String(path), 'meta.json');
  const meta = JSON.parse(readFileSync(file, 'utf8'));
  const long = new Date(Date.now() - 2 * 86_400_000);
  rmSync(file);
  place(file, JSON.stringify({ ...meta, end_timestamp: long.toISOString(), uptime: null }));
  utimesSync(join(String(path), 'run'), long, long);
  await plan(at, { tasks: tasks('map-0001') });
  expect(existsSync(String(path))).toBe(false);
  expect(readFileSync(join(at.root, '.rlm', 'cleanup.log'), 'utf8')).toContain(meta.archive_id);
});

test('a plan that is wrong is refused with task and field, and nothing is left of it', async () => {
  const at = caller();
  await expect(
    plan(at, { tasks: [{ worker_id: 'map-0001', goal: 'g', report_path: '../../etc/report.md' }] }),
  ).rejects.toThrow(/map-0001.*report_path/);
  for (const goal of ['', ' \n\t']) {
    await expect(plan(at, { tasks: [{ worker_id: 'map-0001', goal }] })).rejects.toThrow(/goal/);
  }
  await expect(plan(at, { verify: { key_claims: [{ claim: 'It is so.' }] } })).rejects.toThrow(/no plan yet/);
  await expect(at.call('plan', { file: '/etc/hostname' })).rejects.toMatchObject({ code: 'forbidden' });
  writeFileSync(join(at.root, 'bad.json'), '{"goal_summary": 7}');
  await expect(at.call('plan', { file: 'bad.json' })).rejects.toThrow(/goal_summary/);
  expect(existsSync(at.dir)).toBe(false);
});

test('verify tasks are planned with the stage that runs them, and name reports that are there', async () => {
  const at = caller();
  await plan(at, { tasks: tasks('map-0001') });
  await at.call('run_ready', { run_id: RUN, command: at.command });
  await ended(at);
  const claim = (path: string) => ({ verify: { key_claims: [{ claim: 'It is so.', paths: [path] }] } });
  await expect(at.call('plan', { run_id: RUN, ...claim('nowhere.md') })).rejects.toThrow(
    /verify-0001', hint_paths: 'nowhere.md' does not exist/,
  );
  const report = `.rlm/runs/${RUN}/artifacts/reports/map-0001.md:1-3`;
  const planned = await at.call('plan', { run_id: RUN, ...claim(report) });
  const [next] = z.array(z.object({ tool: z.string(), args: z.looseObject({}) })).parse(planned.next);
  expect(next).toEqual({
    tool: 'rlm_run_ready',
    args: { run_id: RUN, stage: 'verify', auto_refill: true },
  });
  await at.call('run_ready', { ...next?.args, command: at.command });
  await ended(at);
  expect(await at.call('reduce_inventory', { run_id: RUN })).toMatchObject({
    verify: { completed: true, unverified: 0, verdicts: { confirmed: 1, refuted: 0, undecided: 0 } },
  });
  const final = {
    conclusions: [{ text: 'So it is.' }],
    termination_decision: { should_finish: true, reason: 'verified' },
  };
  await expect(at.call('finalize', { run_id: RUN })).rejects.toThrow(
    /give final: run 'plan-run' is a plan run/,
  );
  place(join(at.root, 'final-input.json'), JSON.stringify({ final }));
  expect(await at.call('finalize', { run_id: RUN, file: 'final-input.json' })).toMatchObject({
    verified: true,
    verdicts: { confirmed: 1 },
  });
});

test('a damaged plan or inflight file does not hide the rest of the status', async () => {
  const at = caller();
  await plan(at, { tasks: tasks('map-0001') });
  await at.call('run_ready', { run_id: RUN, command: at.command });
  await ended(at);
  for (const name of ['plan.json', 'artifacts/scheduler/inflight.json']) {
    const path = join(at.dir, name);
    const before = readFileSync(path);
    writeFileSync(path, '{"half":');
    const { run } = z.object({ run: z.looseObject({}) }).parse(await at.call('status', { run_id: RUN }));
    expect(run).toMatchObject({ state: 'completed', progress: { accepted: 1 } });
    expect(run.tasks_error).toContain(name);
    writeFileSync(path, before);
  }
});

test('a lost inflight file is rebuilt from the journal by the next driver', async () => {
  const at = caller();
  await plan(at, { tasks: tasks('map-0001', 'map-0002') });
  const stage = { run_id: RUN, command: at.command, max_inflight: 1 };
  await at.call('run_ready', stage);
  await ended(at);
  const before = at.launches();
  rmSync(join(at.dir, 'artifacts/scheduler/inflight.json'));
  await at.call('run_ready', stage);
  await ended(at);
  expect(at.launches()).toEqual([...before, expect.objectContaining({ worker_id: 'map-0002' })]);
  expect(spawnedTasks(at.root)).toEqual(['map-0001', 'map-0002']);
});

test('what is next with failed tasks in the way is the inventory, and with joins left allow_join', async () => {
  const at = caller();
  await plan(at, {
    tasks: [
      { worker_id: 'map-a', goal: 'MODE=exit' },
      { worker_id: 'map-b', goal: 'Look.' },
      { worker_id: 'join-0001', goal: 'Join.', depends_on: ['map-b'] },
      { worker_id: 'map-c', goal: 'Look.', depends_on: ['join-0001'] },
    ],
  });
  const stage = { run_id: RUN, command: at.command };
  const nextTool = (result: Record<string, unknown>) =>
    z.array(z.object({ tool: z.string(), args: z.looseObject({}) })).parse(result.next)[0];
  await at.call('run_ready', stage);
  await ended(at);
  expect(nextTool(await at.call('run_ready', stage))).toMatchObject({ tool: 'rlm_reduce_inventory' });
  await at.call('spawn_worker', { ...stage, retry_of: 'map-a', goal: 'Look.' });
  await ended(at);
  expect(nextTool(await at.call('run_ready', stage))).toMatchObject({
    tool: 'rlm_run_ready',
    args: { allow_join: true },
  });
});

test('six tasks with verification take eight calls, each of which the result before names', async () => {
  const at = caller();
  const tool = (name: string) => TOOLS.find((candidate) => candidate.name === name);
  const context = createContext({
    root: at.root,
    cwd: at.root,
    caller: 'mcp',
    signal: new AbortController().signal,
    progress() {},
  });
  const NextStep = z.looseObject({ tool: z.string(), args: z.record(z.string(), z.unknown()) });
  /** What an orchestrator adds from its task and from what it read; all else is what the result before said. */
  const own: Record<string, unknown>[] = [
    {
      goal_summary: 'Find the leak',
      tasks: [
        ...tasks('map-0001', 'map-0002', 'map-0003', 'map-0004', 'map-0005'),
        { worker_id: 'map-0006', goal: 'Compare.', depends_on: ['map-0001', 'map-0002'] },
      ],
    },
    { command: at.command },
    {},
    { verify: { key_claims: [{ claim: 'It leaks.' }] } },
    { command: at.command },
    {},
    {
      final: {
        conclusions: [{ text: 'It leaks.' }],
        termination_decision: { should_finish: true, reason: 'verified' },
      },
    },
    {},
  ];
  let step: z.infer<typeof NextStep> = { tool: 'rlm_plan', args: {} };
  const called: string[] = [];
  for (const input of own) {
    const found = tool(step.tool);
    if (found === undefined) throw new Error(`no tool ${step.tool}`);
    called.push(step.tool);
    const result = await callTool(found, { ...step.args, ...input }, context);
    step = z.array(NextStep).parse(result.next)[0] ?? step;
  }
  expect(called).toEqual(
    [
      'plan',
      'run_ready',
      'reduce_inventory',
      'plan',
      'run_ready',
      'reduce_inventory',
      'finalize',
      'archive',
    ].map((name) => `rlm_${name}`),
  );
  expect(readdirSync(join(at.root, '.rlm', 'archive'))).toHaveLength(1);
  expect(spawnedTasks(at.root)).toHaveLength(7);
});

test('one orchestrator a run: another one is told who holds it, and takes over only when asked to', async () => {
  const at = caller();
  await plan(at, { tasks: tasks('map-0001') });
  const lock = orchestratorLock(at.root, RUN);
  const args = ['plan', '--run', RUN, '--goal-summary', 'Mine now', '--root', at.root];
  const refused = await rlm(args);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`held by pid ${lock?.holder.pid}`);
  const taken = await rlm([...args, '--take-over', '--json']);
  expect(JSON.parse(taken.stdout)).toMatchObject({ took_over_from: { pid: process.pid } });
  // The other process has ended and given the lock back.
  expect(orchestratorLock(at.root, RUN)).toBeUndefined();
});

test('a dry run starts nothing, and what waits says why', async () => {
  const at = caller();
  await plan(at, {
    tasks: [
      ...tasks('map-0001', 'map-0002', 'join-0001'),
      { worker_id: 'map-0003', goal: 'g', depends_on: ['map-0001'] },
      { worker_id: 'verify-0001', mode: 'verify', goal: 'g' },
    ],
  });
  const { call, command } = at;
  const dry = await call('run_ready', { run_id: RUN, command, max_inflight: 1, dry_run: true });
  expect(dry).toMatchObject({
    state: 'idle',
    started: [],
    waiting: { cap: 1, join_gate: 1, dependency: 1, stage: 1 },
  });
  expect(spawnedTasks(at.root)).toEqual([]);
  expect(orchestratorLock(at.root, RUN)?.own).toBe(true);
  await expect(call('run_ready', { run_id: RUN, worker: 'extractive' })).rejects.toMatchObject({
    code: 'usage',
  });
  const batch = finishedBatch(at.root, { jobs: 1 });
  await expect(call('run_ready', { run_id: batch.id })).rejects.toThrow(/batch run, not one of a plan/);
});

test('tasks handed over while the driver works, or is about to end, are each launched once', {
  timeout: 90_000,
}, async () => {
  const at = caller();
  const ids = Array.from({ length: 14 }, (_, n) => `map-${n + 10}`);
  await plan(at, { tasks: ids.map((worker_id, n) => ({ worker_id, goal: `PAUSE=${(n % 4) * 90}` })) });
  const stage = { run_id: RUN, command: at.command, max_inflight: 2, allow_refill_while_inflight: true };
  const handed: string[] = [];
  while (handed.length < ids.length) {
    handed.push(...started(await at.call('run_ready', stage)));
    await at.call('wait', { run_id: RUN, wait_sec: 1, until: 'change' });
  }
  await ended(at);
  expect(handed).toEqual(ids);
  expect(spawnedTasks(at.root).sort()).toEqual(ids);
  expect(at.launches().every((launch) => launch.exit_code === 0 && launch.report_sha256 !== null)).toBe(true);
});

test('with auto_refill one call runs the stage: each task after its dependencies, no join, none behind a failure', async () => {
  const at = caller();
  const goal = 'Look.';
  await plan(at, {
    tasks: [
      ...tasks('map-a'),
      { worker_id: 'map-bad', goal: 'MODE=exit' },
      { worker_id: 'map-b', goal, depends_on: ['map-a'] },
      { worker_id: 'map-c', goal, depends_on: ['map-a'] },
      { worker_id: 'map-d', goal, depends_on: ['map-b', 'map-c'] },
      { worker_id: 'map-e', goal, depends_on: ['map-bad'] },
      { worker_id: 'join-0001', goal, depends_on: ['map-d'] },
      { worker_id: 'verify-0001', mode: 'verify', goal, depends_on: ['map-a'] },
    ],
  });
  const stage = { run_id: RUN, command: at.command, auto_refill: true, max_inflight: 2 };
  expect(started(await at.call('run_ready', stage))).toEqual(['map-a', 'map-bad']);
  expect(await ended(at)).toMatchObject({
    state: 'completed',
    progress: { total: 5, accepted: 4, failed: 1 },
  });
  const order = spawnedTasks(at.root);
  expect(order.toSorted()).toEqual(['map-a', 'map-b', 'map-bad', 'map-c', 'map-d']);
  expect(order.at(-1)).toBe('map-d');
  expect(most(at)).toBe(2);
  const again = await at.call('run_ready', stage);
  expect(again).toMatchObject({ started: [], waiting: { failed: 1, join_gate: 1, dependency: 1 } });
  expect(started(await at.call('run_ready', { ...stage, allow_join: true }))).toEqual(['join-0001']);
  // The counts are those of the run, as its attempts are.
  const end = await ended(at);
  expect(end).toMatchObject({
    state: 'completed',
    outcome: 'some',
    progress: { total: 6, accepted: 5, failed: 1, attempts: 6 },
  });
  expect(String(end.reason)).toContain('1 of 6 tasks have no accepted report');
});

test('a status says which kinds of failures there were, how often, and the first of each', async () => {
  const at = caller();
  const ids = ['map-a', 'map-b', 'map-c', 'map-d'];
  const modes = ['exit', 'exit', 'bare', 'none'];
  await plan(at, { tasks: ids.map((worker_id, n) => ({ worker_id, goal: `MODE=${modes[n]}` })) });
  await at.call('run_ready', { run_id: RUN, command: at.command });
  await ended(at);
  const { run } = z.object({ run: z.looseObject({}) }).parse(await at.call('status', { run_id: RUN }));
  expect(run.failures).toEqual([
    {
      class: 'crashed',
      count: 2,
      first_job: expect.stringMatching(/map-[ab]/),
      error: expect.stringContaining('7'),
    },
    {
      class: 'invalid_output',
      count: 1,
      first_job: 'map-c',
      error: expect.stringContaining('Contract Compliance'),
    },
  ]);
  expect(run.tasks).toMatchObject({ failed_total: 3 });
});

test('a report that lacks a part is asked for once more; what a command prints is its report when it writes none', async () => {
  const at = caller();
  await plan(at, {
    tasks: ['late', 'bare', 'print'].map((mode) => ({ worker_id: `map-${mode}`, goal: `MODE=${mode}` })),
  });
  await at.call('run_ready', { run_id: RUN, command: at.command });
  expect(await ended(at)).toMatchObject({ progress: { accepted: 2, failed: 1, attempts: 5 } });
  const message = 'the report has no section "Contract Compliance"';
  expect(at.launches()).toMatchObject([
    { worker_id: 'map-late', attempt: 2, failure_class: null, report_sha256: expect.any(String) },
    { worker_id: 'map-bare', attempt: 2, failure_class: 'invalid_output', failure_message: message },
    { worker_id: 'map-print', attempt: 1, failure_class: null },
  ]);
  const report = (id: string) => readFileSync(join(at.dir, `artifacts/reports/${id}.md`), 'utf8');
  expect(report('map-print')).toContain('# Printed');
  expect(report('map-late')).toContain('SECRET-REPORT-TEXT');
  expect(await at.call('reduce_inventory', { run_id: RUN })).toMatchObject({
    counts: { ok: 2, failed: 1 },
    attention: [{ worker_id: 'map-bare', error: message, suggestion: { action: 'retry' } }],
  });
  // The status counts what was launched and ended without a report as failed, and nothing as missing.
  expect(await at.call('status', { run_id: RUN })).toMatchObject({
    run: { tasks: { counts: { ok: 2, failed: 1 }, failed_total: 1 } },
  });
});

test('auto_refill is taken on by a driver that is at work, and goes on after a crash', async () => {
  const at = caller();
  await plan(at, {
    tasks: [
      { worker_id: 'map-a', goal: 'MODE=gate' },
      { worker_id: 'map-b', goal: 'MODE=once', depends_on: ['map-a'] },
      { worker_id: 'map-c', goal: 'Look.', depends_on: ['map-a'] },
      { worker_id: 'map-d', goal: 'Look.', depends_on: ['map-c'] },
    ],
  });
  const stage = { run_id: RUN, command: at.command, max_inflight: 1 };
  expect(started(await at.call('run_ready', stage))).toEqual(['map-a']);
  await expect.poll(() => spawnedTasks(at.root), { timeout: 10_000 }).toEqual(['map-a']);
  expect(started(await at.call('run_ready', { ...stage, auto_refill: true }))).toEqual([]);
  writeFileSync(join(at.root, 'open'), '');
  await expect.poll(() => spawnedTasks(at.root), { timeout: 10_000 }).toEqual(['map-a', 'map-b']);
  const { driver } = ActivityRecord.parse(JSON.parse(readFileSync(join(at.dir, 'activity.json'), 'utf8')));
  if (driver === undefined) throw new Error('no driver');
  process.kill(driver.pid, 'SIGKILL');
  await ended(at);
  await at.call('resume', { run_id: RUN });
  await ended(at);
  // What died with the driver is done by a task of its own, and the order that was given still holds.
  expect(spawnedTasks(at.root).toSorted()).toEqual(['map-a', 'map-b', 'map-b-r1', 'map-c', 'map-d']);
  const failures = at.launches().map(({ worker_id, failure_class }) => [worker_id, failure_class]);
  expect(Object.fromEntries(failures)).toEqual({
    'map-a': null,
    'map-b': 'crashed',
    'map-b-r1': null,
    'map-c': null,
    'map-d': null,
  });
  const { run } = z.object({ run: z.looseObject({}) }).parse(await at.call('status', { run_id: RUN }));
  expect(run).toMatchObject({ state: 'completed', tasks: { total: 5, satisfied: 5, failed_total: 0 } });
});

test('a resume launches what a cancel ended, with its lineage, and goes on with what depends on it', async () => {
  const at = caller();
  await plan(at, {
    tasks: [
      { worker_id: 'map-a', goal: 'MODE=once' },
      { worker_id: 'map-bad', goal: 'MODE=exit' },
      { worker_id: 'map-b', goal: 'Look.', depends_on: ['map-a'] },
    ],
  });
  await at.call('run_ready', { run_id: RUN, command: at.command, auto_refill: true });
  const crashed = () => at.launches().some(({ failure_class }) => failure_class === 'crashed');
  await expect.poll(crashed, { timeout: 15_000 }).toBe(true);
  await expect.poll(() => spawnedTasks(at.root), { timeout: 15_000 }).toContain('map-a');
  await at.call('cancel', { run_id: RUN });
  await at.call('resume', { run_id: RUN });
  await ended(at);
  expect(spawnedTasks(at.root).toSorted()).toEqual(['map-a', 'map-a-r1', 'map-b', 'map-bad']);
  const { tasks: planned } = Plan.parse(JSON.parse(readFileSync(join(at.dir, 'plan.json'), 'utf8')));
  expect(planned.at(-1)).toMatchObject({ worker_id: 'map-a-r1', retry_of: 'map-a', goal: 'MODE=once' });
});

test('a driver takes what is requested while every slot is taken, and raises its limit', async () => {
  const at = caller();
  const ids = Array.from({ length: 6 }, (_, n) => `map-${n}`);
  await plan(at, { tasks: ids.map((worker_id) => ({ worker_id, goal: 'MODE=gate' })) });
  const { command } = at;
  const started_at = performance.now();
  expect(started(await at.call('run_ready', { run_id: RUN, command, max_inflight: 1 }))).toEqual(['map-0']);
  const more = { run_id: RUN, command, max_inflight: 3, allow_refill_while_inflight: true };
  expect(started(await at.call('run_ready', more))).toEqual(['map-1', 'map-2']);
  for (const worker_id of ids.slice(3)) {
    expect(started(await at.call('spawn_worker', { run_id: RUN, command, worker_id }))).toEqual([worker_id]);
  }
  expect(performance.now() - started_at).toBeLessThan(10_000);
  // All six run at once, although the driver was started for one.
  await expect.poll(() => spawnedTasks(at.root).toSorted(), { timeout: 10_000 }).toEqual(ids);
  writeFileSync(join(at.root, 'open'), '');
  expect(await ended(at)).toMatchObject({ progress: { total: 6, accepted: 6 } });
  expect(most(at)).toBe(6);
});

/** How many workers ran at once at most, by their own records. */
function most(at: Caller): number {
  const moments = at.launches().flatMap(({ started_at, finished_at }) => [
    { at: started_at, by: 1 },
    { at: finished_at ?? '', by: -1 },
  ]);
  // Of one millisecond, what ended comes first.
  moments.sort((a, b) => (a.at === b.at ? a.by - b.by : a.at < b.at ? -1 : 1));
  let running = 0;
  return Math.max(
    ...moments.map(({ by }) => {
      running += by;
      return running;
    }),
  );
}

test('a cancelled stage leaves nothing running; its tasks are failed and are retried under new ids', async () => {
  const at = caller();
  await plan(at, { tasks: [{ worker_id: 'map-0001', goal: 'MODE=hang' }] });
  await at.call('run_ready', { run_id: RUN, command: at.command });
  await expect.poll(() => spawnedTasks(at.root), { timeout: 10_000 }).toEqual(['map-0001']);
  await expect(at.call('spawn_worker', { run_id: RUN, retry_of: 'map-0001' })).rejects.toThrow(
    /still running/,
  );
  expect(await at.call('cancel', { run_id: RUN })).toMatchObject({ state: 'cancelled' });
  expect(at.launches()).toMatchObject([{ failure_class: 'cancelled', exit_code: null }]);
  const retry = await at.call('spawn_worker', {
    ...{ run_id: RUN, command: at.command, retry_of: 'map-0001', goal: 'Look.' },
  });
  expect(retry).toMatchObject({ started: ['map-0001-r1'], lineage: ['map-0001', 'map-0001-r1'] });
  expect(await ended(at)).toMatchObject({ state: 'completed' });
  await expect(at.call('spawn_worker', { run_id: RUN, retry_of: 'map-0001' })).rejects.toThrow(/map-0001-r1/);
});

test('a stage in which no task was accepted has failed, and leads to the inventory', async () => {
  const at = caller();
  await plan(at, {
    tasks: ['map-0001', 'map-0002'].map((worker_id) => ({ worker_id, goal: 'MODE=exit' })),
  });
  const ended = await at.call('run_ready', { run_id: RUN, command: at.command, wait_sec: 30 });
  expect(ended).toMatchObject({
    state: 'failed',
    outcome: 'none',
    reason: '2 of 2 tasks have no accepted report',
    next: [{ tool: 'rlm_reduce_inventory', args: { run_id: RUN } }],
  });
});

test('final.json needs a verify stage or a reason; then the run is archived, marked in use and never deleted', {
  timeout: 60_000,
}, async () => {
  const at = caller();
  await plan(at, { tasks: tasks('map-0001') });
  await at.call('run_ready', { run_id: RUN, command: at.command });
  await ended(at);
  const final = {
    conclusions: [{ text: 'So it is.' }],
    termination_decision: { should_finish: true, reason: 'all is known' },
  };
  await expect(at.call('finalize', { run_id: RUN, final })).rejects.toThrow(/no verify stage/);
  const waived = { ...final, waive_verify: 'nothing to verify' };
  await expect(at.call('archive', { run_id: RUN })).rejects.toThrow(/not finished/);
  expect(await at.call('finalize', { run_id: RUN, final: waived })).toMatchObject({
    verified: false,
    deferred_opportunities: 1,
    unfinished_tasks: 0,
  });
  const written = FinalReport.parse(JSON.parse(readFileSync(join(at.dir, 'final.json'), 'utf8')));
  expect(written.verify.waived_because).toBe('nothing to verify');
  expect(written.rehydrated_from.map(({ path }) => path)).toContain(`.rlm/runs/${RUN}/plan.json`);

  const archived = await at.call('archive', { run_id: RUN, ttl_days: 1 });
  const meta = JSON.parse(readFileSync(join(String(archived.path), 'meta.json'), 'utf8'));
  expect(meta).toMatchObject({ termination_reason: 'all is known', retention: { ttl_days: 1 } });
  const { run } = z
    .object({ run: z.looseObject({ next: z.array(z.object({ why: z.string() })) }) })
    .parse(await at.call('status', { run_id: RUN }));
  expect(run.next[0]?.why).toContain(String(archived.archive_id));
  expect(run.tasks).toMatchObject({ total: 1, satisfied: 1 });
  const mark = { run_id: RUN, mark_in_use: archived.archive_id };
  expect(await at.call('archive', mark)).toMatchObject({ in_use_by: [RUN] });
  expect(await at.call('cleanup', {})).toMatchObject({ dry_run: true, deleted: [] });
  expect(await at.call('archive', { run_id: RUN, unmark_in_use: archived.archive_id })).toMatchObject({
    in_use_by: [],
  });
  expect(await at.call('cleanup', { dry_run: false })).toMatchObject({ deleted: [], kept: { young: 1 } });
  await expect(at.call('archive', { run_id: RUN })).rejects.toThrow(/archived already/);
  // Nothing is done in it any more: what final.json cites stays as it is.
  const { command } = at;
  for (const [tool, input] of [
    ['plan', { tasks: tasks('map-0002') }],
    ['run_ready', { command }],
    ['spawn_worker', { command, worker_id: 'map-0001' }],
    ['spawn_worker', { command, retry_of: 'map-0001' }],
    ['resume', { max_workers: 5 }],
    ['reduce_inventory', {}],
    ['collect_deferred', {}],
    ['finalize', { final: waived }],
  ] as const) {
    await expect(at.call(tool, { run_id: RUN, ...input }), tool).rejects.toThrow(
      /is archived: it accepts no/,
    );
  }
  const status = z.object({ run: z.looseObject({}) }).parse(await at.call('status', { run_id: RUN }));
  expect(status.run).toMatchObject({ state: 'completed' });
  for (const { path, sha256: digest } of written.rehydrated_from) {
    const file = join(at.root, path);
    if (existsSync(file)) expect(sha256(readFileSync(file)), path).toBe(digest);
  }
  rmSync(String(archived.path), { recursive: true });
  const later = z.object({ run: z.looseObject({}) }).parse(await at.call('status', { run_id: RUN }));
  expect(JSON.stringify(later.run.next)).not.toContain(String(archived.archive_id));
});

test('a used-up quota pauses the stage; a resume launches the same task, and no failed one', {
  timeout: 60_000,
}, async () => {
  const at = caller();
  const quota: ScriptedReply = {
    kind: 'status',
    status: 429,
    body: { error: { message: 'You exceeded your current quota.', code: 'insufficient_quota' } },
  };
  const throttled: ScriptedReply = {
    kind: 'status',
    status: 429,
    body: { error: { message: 'Slow down.', code: 'rate_limit_exceeded' } },
  };
  const replies = [throttled, quota];
  const server = await startModelServer({
    keyOf: (prompt) => prompt,
    reply({ prompt, body }) {
      const path = /"report_path": "([^"]+)"/.exec(prompt)?.[1] ?? '';
      if (JSON.stringify(body.input).includes('function_call_output')) return { kind: 'answer', text: path };
      const cmd = `printf '# Report\\n\\n## Contract Compliance\\nread\\n' > ${path}`;
      return replies.shift() ?? { kind: 'tool', name: 'exec_command', arguments: { cmd } };
    },
  });
  onTestFinished(() => server.close());
  const codex = isolatedCodex(temporaryDirectory(), server.url);
  place(join(at.root, 'codex-home', 'config.toml'), fakeProvider(server.url));
  place(
    join(at.root, '.rlm', 'config.json'),
    '{"codex_home": "codex-home", "limits": {"backoff_ms": 20, "backoff_max_ms": 50}}',
  );
  const before = process.env.PATH;
  process.env.PATH = codex.env.PATH;
  onTestFinished(() => {
    process.env.PATH = before;
  });
  await plan(at, { tasks: tasks('map-0001') });
  const stage = { run_id: RUN, worker: 'codex' };
  expect(started(await at.call('run_ready', stage))).toEqual(['map-0001']);
  const paused = await ended(at);
  expect(paused).toMatchObject({ state: 'input_required' });
  expect(String(paused.reason)).toContain('quota');
  // The home is not ours, and has no skills: the worker is told its skill with the call.
  expect(server.calls[0]?.prompt).toContain('Carry out one map or verify task of an rlm run');
  expect(existsSync(join(at.root, 'codex-home', 'skills', 'map-worker'))).toBe(false);
  // Throttled once, and tried again as the same launch; then the quota.
  expect(at.launches()).toMatchObject([{ worker_id: 'map-0001', attempt: 2, failure_class: 'quota' }]);
  await at.call('resume', { run_id: RUN });
  expect(await ended(at)).toMatchObject({ state: 'completed', progress: { total: 1, accepted: 1 } });
  expect(at.launches()).toMatchObject([{ attempt: 3, failure_class: null, exit_code: 0 }]);
});

test('a server that is killed in the middle of a stage leaves it going, and the lock to be taken over', async () => {
  const at = caller();
  place(
    join(at.root, 'plan.json'),
    JSON.stringify({ goal_summary: 'g', tasks: [{ worker_id: 'map-0001', goal: 'MODE=gate' }] }),
  );
  execFileSync(process.execPath, [BUNDLE, 'plan', '--run', RUN, '--file', 'plan.json'], { cwd: at.root });
  const holder = spawn(
    process.execPath,
    [
      ...[BUNDLE, 'run-ready', '--run', RUN, '--root', at.root],
      ...at.program.flatMap((part) => ['--command', part]),
    ],
    { cwd: at.root, stdio: 'ignore' },
  );
  await expect.poll(() => spawnedTasks(at.root), { timeout: 15_000 }).toEqual(['map-0001']);
  await expect(plan(at, { tasks: tasks('map-0002') })).rejects.toThrow(/held by pid/);
  holder.kill('SIGKILL');
  await expect.poll(() => orchestratorLock(at.root, RUN)?.alive).toBe(false);
  expect(await plan(at, { tasks: tasks('map-0002') })).toMatchObject({ took_over_from: { pid: holder.pid } });
  writeFileSync(join(at.root, 'open'), '');
  expect(await ended(at)).toMatchObject({ state: 'completed', progress: { accepted: 1 } });
});

test('without anybody who can carry out a task the stage fails and says what to do', async () => {
  const at = caller();
  const before = { PATH: process.env.PATH, HOME: process.env.HOME };
  onTestFinished(() => {
    Object.assign(process.env, before);
  });
  Object.assign(process.env, { PATH: '/usr/bin:/bin', HOME: at.root });
  await plan(at, { tasks: tasks('map-0001') });
  await at.call('run_ready', { run_id: RUN });
  const failed = await ended(at);
  expect(failed).toMatchObject({ state: 'failed', progress: { attempts: 0 } });
  expect(String(failed.reason)).toContain('no worker is ready that can use files');
});
