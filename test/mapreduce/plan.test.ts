import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PlanInput, TaskInput } from '../../src/contracts/index.ts';
import { Plan } from '../../src/contracts/index.ts';
import { createPlan, readPlan, revisePlan } from '../../src/mapreduce/index.ts';
import { ACCEPTED, inflightLog, plannedRun, temporaryRoot, writeReport } from './fixture.ts';

const task = (worker_id: string, more: Partial<TaskInput> = {}): TaskInput => ({
  worker_id,
  goal: 'g',
  ...more,
});

describe('a plan', () => {
  it('is written with its defaults and its contract, and asks for what the contract lacks', () => {
    const root = temporaryRoot();
    const result = plannedRun(root, {
      success_criteria: ['it works'],
      contract: {
        goal: 'Find the leak',
        invariants: ['the API stays'],
        failure_policy: [],
        verification: { required: ['npm test'], interpreter: 'node 20' },
      },
      tasks: [task('map-0001', { owned_paths: ['src/'] })],
    });
    const onDisk = Plan.parse(JSON.parse(readFileSync(join(root, '.rlm/runs/run-1/plan.json'), 'utf8')));
    expect(onDisk).toEqual(result.plan);
    expect(onDisk.tasks[0]).toEqual({
      worker_id: 'map-0001',
      mode: 'map',
      granularity: 'meso',
      compute_tier: 'standard',
      goal: 'g',
      depends_on: [],
      inputs: [],
      context_paths: [],
      hint_paths: [],
      owned_paths: ['src'],
      report_path: '.rlm/runs/run-1/artifacts/reports/map-0001.md',
    });
    const contract = readFileSync(join(root, '.rlm/runs/run-1/artifacts/context/run_contract.md'), 'utf8');
    for (const part of [
      '## Goal and non-goals\n\nFind the leak\n\nNon-goals:\n\n(not given',
      '## Scope boundaries',
      '## Invariants\n\n- the API stays',
      '## Dependency and sequence rules',
      '## Verification requirements\n\n- npm test',
      '- Interpreter: node 20',
      '## Failure policy\n\nNone.',
    ]) {
      expect(contract).toContain(part);
    }
    expect(result.missing.map(({ field }) => field)).toEqual([
      'contract.non_goals',
      'contract.scope',
      'contract.sequence_rules',
      'contract.verification.environment',
      'contract.verification.working_directory',
    ]);
  });

  it('takes its goal for that of the contract, and asks once for what the contract lacks', () => {
    const root = temporaryRoot();
    const made = plannedRun(root, { goal_summary: 'Find the leak' });
    expect(made.plan.contract.goal).toBe('Find the leak');
    expect(made.missing.map(({ field }) => field)).not.toContain('contract.goal');
    expect(made.missing).toHaveLength(9);
    const revise = (input: PlanInput) => revisePlan(root, 'run-1', input, { inputRoots: [] }).missing;
    expect(revise({ tasks: [task('a')] })).toEqual([]);
    expect(revise({ contract: { non_goals: [], scope: { avoid: [] } } })).toHaveLength(7);
  });

  const refusals: [name: string, tasks: TaskInput[], message: RegExp][] = [
    [
      'a cycle',
      [
        task('a', { depends_on: ['c'] }),
        task('b', { depends_on: ['a'] }),
        task('c', { depends_on: ['b'] }),
        task('d'),
      ],
      /task '[abc]', depends_on: is part of a cycle: '[abc]' needs '[abc]' needs '[abc]' needs '[abc]'/,
    ],
    ['a worker_id twice', [task('a'), task('a')], /task 'a', worker_id: is given twice/],
    [
      'a report_path twice',
      [task('a'), task('b', { report_path: '.rlm/runs/run-1/artifacts/reports/a.md' })],
      /task 'b', report_path: .*is the report of task 'a' too/,
    ],
    ['an unknown dependency', [task('a', { depends_on: ['zz'] })], /task 'a', depends_on: unknown task 'zz'/],
    [
      'a dependency on itself',
      [task('a', { depends_on: ['a'] })],
      /task 'a', depends_on: names the task itself/,
    ],
    ['an unknown retry_of', [task('a', { retry_of: 'zz' })], /task 'a', retry_of: unknown task 'zz'/],
    [
      'a report outside the run',
      [task('a', { report_path: 'a.md' })],
      /task 'a', report_path: .*lies outside/,
    ],
    [
      'a report that climbs out',
      [task('a', { report_path: '.rlm/runs/run-1/artifacts/reports/../../../run-2/x.md' })],
      /task 'a', report_path: .*lies outside/,
    ],
    [
      "a report over the run's own state",
      [task('a', { report_path: '.rlm/runs/run-1/plan.json' })],
      /task 'a', report_path: .*lies outside/,
    ],
    [
      'a report with a line break',
      [task('a', { report_path: '.rlm/runs/run-1/artifacts/reports/a\nb.md' })],
      /task 'a', report_path: .*control character/,
    ],
    [
      'a file owned by two parallel tasks',
      [task('a', { owned_paths: ['src/x.ts'] }), task('b', { owned_paths: ['./src/../src/x.ts'] })],
      /task 'b', owned_paths: 'src\/x.ts' is owned by task 'a' too/,
    ],
    [
      "a file in a parallel task's directory",
      [task('a', { owned_paths: ['src/x.ts'] }), task('b', { owned_paths: ['src/'] })],
      /owned_paths: 'src\/x.ts' overlaps 'src' of task 'b'/,
    ],
    [
      'an owned path outside the root',
      [task('a', { owned_paths: ['../x'] })],
      /task 'a', owned_paths: .*lies outside/,
    ],
    [
      "an owned path over the run's state",
      [task('a', { owned_paths: ['.'] })],
      /task 'a', owned_paths: .*would cover/,
    ],
    ['an owned pattern', [task('a', { owned_paths: ['src/*.ts'] })], /task 'a', owned_paths: .*pattern/],
    [
      'a hint outside the root',
      [task('a', { hint_paths: ['/etc/passwd'] })],
      /task 'a', hint_paths: .*lies outside/,
    ],
    [
      'hints that are not there',
      [task('a', { hint_paths: ['nowhere.md:3-4'], context_paths: ['gone'] })],
      /task 'a', hint_paths: 'nowhere.md:3-4' does not exist; task 'a', context_paths: 'gone' does not exist/,
    ],
    [
      'files two directories below what a parallel task owns',
      [task('a', { owned_paths: ['src'] }), task('b', { owned_paths: ['src/a/b.ts'] })],
      /task 'b', owned_paths: 'src\/a\/b.ts' overlaps 'src' of task 'a'/,
    ],
    ['a bad id', [task('../a')], /task '\.\.\/a', worker_id: must match/],
    ['an id with a shell in it', [task('$(rm -rf ~)')], /worker_id: must match/],
  ];
  it.each(refusals)('refuses %s, and writes nothing', (_name, tasks, message) => {
    const root = temporaryRoot();
    expect(() => plannedRun(root, { tasks })).toThrow(message);
    expect(readdirSync(root)).toEqual([]);
  });

  it('refuses an owned path that leads through a symlink out of the root', () => {
    const root = temporaryRoot();
    symlinkSync('/usr', join(root, 'out'));
    expect(() => plannedRun(root, { tasks: [task('a', { owned_paths: ['out/lib'] })] })).toThrow(/symlink/);
    expect(readdirSync(root)).toEqual(['out']);
  });

  it('lets tasks own one file when a dependency path orders them, however long', () => {
    const root = temporaryRoot();
    const { plan } = plannedRun(root, {
      tasks: [
        task('a', { owned_paths: ['src/x.ts'] }),
        task('between', { depends_on: ['a'] }),
        task('b', { owned_paths: ['src'], depends_on: ['between'] }),
        task('a-r1', { owned_paths: ['src/x.ts'], retry_of: 'a' }),
      ],
    });
    expect(plan.tasks).toHaveLength(4);
  });

  it('finds a conflict among thousands of tasks in little time', () => {
    const root = temporaryRoot();
    const chain = Array.from({ length: 3000 }, (_, n) =>
      task(`t-${n}`, { owned_paths: ['src/x.ts'], depends_on: n === 0 ? [] : [`t-${n - 1}`] }),
    );
    expect(() => plannedRun(root, { tasks: [...chain, task('odd', { owned_paths: ['src/x.ts'] })] })).toThrow(
      /is owned by task/,
    );
  });

  it('is refused without a goal, on a run that has one, and for an id that is not one', () => {
    const root = temporaryRoot();
    expect(() => createPlan(root, {}, { inputRoots: [] })).toThrow(/goal_summary is missing/);
    plannedRun(root, {});
    expect(() => plannedRun(root, {})).toThrow(/has a plan already/);
    expect(() => plannedRun(root, {}, '../x')).toThrow(/must be 3 to 64 of a-z/);
    expect(() => plannedRun(root, {}, 'cleanup')).toThrow(/is taken/);
  });
});

describe('a revision', () => {
  const revise = (root: string, input: PlanInput) => revisePlan(root, 'run-1', input, { inputRoots: [] });

  it('keeps the plan before, adds, replaces and removes by id, and leaves the rest as it is', () => {
    const root = temporaryRoot();
    const before = plannedRun(root, { success_criteria: ['s'], tasks: [task('a'), task('b'), task('c')] });
    const result = revise(root, {
      tasks: [task('b', { goal: 'other' }), task('d', { depends_on: ['b'] })],
      remove_tasks: ['c'],
    });
    expect([result.added, result.replaced, result.removed]).toEqual([['d'], ['b'], ['c']]);
    expect(result.plan.iteration).toBe(2);
    expect(result.plan.tasks.map((t) => `${t.worker_id}:${t.goal}`)).toEqual(['a:g', 'b:other', 'd:g']);
    expect(result.plan.success_criteria).toEqual(['s']);
    const kept = join(root, '.rlm/runs/run-1/artifacts/plan.iter-1.json');
    expect(JSON.parse(readFileSync(kept, 'utf8'))).toEqual(before.plan);
    expect(readPlan(result.run)).toEqual(result.plan);
  });

  it('that changes nothing writes nothing', () => {
    const root = temporaryRoot();
    plannedRun(root, { tasks: [task('a')] });
    expect(revise(root, { tasks: [task('a')] }).changed).toBe(false);
    expect(existsSync(join(root, '.rlm/runs/run-1/artifacts/plan.iter-1.json'))).toBe(false);
  });

  it('cannot redefine or remove a task that was launched, or whose report is there', () => {
    const root = temporaryRoot();
    const planned = plannedRun(root, { tasks: [task('a'), task('b'), task('c')] });
    const log = inflightLog(planned);
    log.started('a', 1, 'artifacts/logs/a.jsonl');
    log.ended('a', ACCEPTED);
    writeReport(root, planned.plan, 'b', 'done by hand');
    expect(() => revise(root, { tasks: [task('a', { goal: 'other' })] })).toThrow(
      /task 'a', goal: was launched already.*retry_of 'a'/,
    );
    expect(() => revise(root, { tasks: [task('b', { compute_tier: 'heavy' })] })).toThrow(
      /task 'b', compute_tier/,
    );
    expect(() => revise(root, { remove_tasks: ['a'] })).toThrow(/task 'a', remove_tasks/);
    expect(() => revise(root, { remove_tasks: ['nobody'] })).toThrow(
      /task 'nobody', remove_tasks: no such task/,
    );
    expect(revise(root, { tasks: [task('c', { goal: 'other' })] }).replaced).toEqual(['c']);
  });

  it('stops at the rounds the budget allows; retries and verify tasks are no round', () => {
    const root = temporaryRoot();
    plannedRun(root, { budget: { max_iterations: 2 }, tasks: [task('a')] });
    expect(revise(root, { tasks: [task('b')] }).plan.rounds).toBe(2);
    revise(root, { tasks: [task('a-r1', { retry_of: 'a' }), task('verify-0001', { mode: 'verify' })] });
    expect(() => revise(root, { tasks: [task('c')] })).toThrow(/max_iterations is 2.*round 3/);
    expect(revise(root, { budget: { max_iterations: 3 }, tasks: [task('c')] }).plan.rounds).toBe(3);
  });

  it('cannot make a retry wait for what waits for its original', () => {
    const root = temporaryRoot();
    plannedRun(root, { tasks: [task('a'), task('b', { depends_on: ['a'] })] });
    expect(() => revise(root, { tasks: [task('a-r1', { retry_of: 'a', depends_on: ['b'] })] })).toThrow(
      /cycle/,
    );
  });

  it('says so when the plan on disk is damaged or newer', () => {
    const root = temporaryRoot();
    const { run, plan } = plannedRun(root, {});
    writeFileSync(join(run.dir, 'plan.json'), JSON.stringify({ ...plan, schema_version: 9 }));
    expect(() => readPlan(run)).toThrow(/schema_version 9/);
    writeFileSync(join(run.dir, 'plan.json'), '{"half":');
    expect(() => readPlan(run)).toThrow(/plan\.json/);
    mkdirSync(join(root, '.rlm/runs/run-2'));
    expect(() => revisePlan(root, 'run-2', {}, { inputRoots: [] })).toThrow(/no run in/);
  });
});
