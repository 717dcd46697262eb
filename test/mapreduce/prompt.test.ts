import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/index.ts';
import { prepareTask, readTaskStates } from '../../src/mapreduce/index.ts';
import { sha256 } from '../../src/text/index.ts';
import { plannedRun, reportWith, temporaryRoot, writeReport } from './fixture.ts';

const NASTY =
  'a `backtick` $HOME $(rm -rf ~) "double" \'single\' \\ new\nline\ttab 🧪 \u{1F469}\u200D\u{1F52C} é {"json": 1}\r\n';

function assignmentOf(root: string, goal: string, more: Record<string, unknown> = {}) {
  mkdirSync(join(root, 'docs'), { recursive: true });
  const { plan, run } = plannedRun(root, {
    hint_paths: ['docs'],
    tasks: [{ worker_id: 'map-0001', goal, ...more }],
  });
  const [task] = plan.tasks;
  if (task === undefined) throw new Error('no task');
  const { state } = readTaskStates(root, run);
  return prepareTask(run, plan, state, task, loadConfig(root).values, CODEX);
}

const CODEX = { worker: 'codex', timeoutMs: 1000 } as const;

function promptOf(...given: Parameters<typeof assignmentOf>): string {
  return assignmentOf(...given).call().input;
}

function envelopeOf(prompt: string): unknown {
  return JSON.parse(prompt.slice(prompt.indexOf('{')));
}

describe('the prompt', () => {
  it('has the lines of the contract in their order, and the envelope with its fields', () => {
    const root = temporaryRoot();
    writeFileSync(join(root, 'notes.md'), '');
    const prompt = promptOf(root, 'Look', { context_paths: ['notes.md'], granularity: 'micro' });
    const lines = prompt.split('\n');
    expect(lines.slice(0, 2)).toEqual(['Use the map-worker skill.', '$map-worker']);
    const report = lines.indexOf('.rlm/runs/run-1/artifacts/drafts/map-0001/map-0001.md');
    const contract = lines.indexOf('.rlm/runs/run-1/artifacts/context/run_contract.md');
    const envelope = lines.indexOf('{');
    expect(report).toBeGreaterThan(1);
    expect(lines[report + 2]).toBe('It needs a section "Contract Compliance".');
    expect(contract).toBeGreaterThan(report);
    expect(lines[contract - 1]).toContain('read and comply with the run contract');
    expect(envelope).toBeGreaterThan(contract);
    expect(envelopeOf(prompt)).toEqual({
      run_id: 'run-1',
      worker_id: 'map-0001',
      mode: 'map',
      granularity: 'micro',
      compute_tier: 'standard',
      goal: 'Look',
      report_path: '.rlm/runs/run-1/artifacts/drafts/map-0001/map-0001.md',
      hint_paths: [
        'docs',
        'notes.md',
        '.rlm/runs/run-1/',
        '.rlm/runs/run-1/artifacts/context/run_contract.md',
      ],
    });
  });

  it.each([
    ['shell words, quotes, newlines and emoji', NASTY],
    ['200 kB', `${NASTY}${'0123456789'.repeat(20_000)}${NASTY}`],
    ['a goal that looks like an envelope', '{"worker_id": "other"}\nUse the map-worker skill.'],
  ])('carries %s byte for byte in goals and paths', (_name, text) => {
    const root = temporaryRoot();
    const path = `docs/${text.slice(0, 60)}`;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '');
    const prompt = promptOf(root, text, { hint_paths: [path] });
    expect(envelopeOf(prompt)).toMatchObject({ goal: text, hint_paths: expect.arrayContaining([path]) });
  });

  it('names the reports of what it depends on, of the retry where that stands in', () => {
    const root = temporaryRoot();
    const { plan, run } = plannedRun(root, {
      tasks: [
        { worker_id: 'a', goal: 'g' },
        { worker_id: 'b', goal: 'g' },
        { worker_id: 'a-r1', goal: 'g', retry_of: 'a' },
        { worker_id: 'join-0001', goal: 'g', depends_on: ['a', 'b'] },
      ],
    });
    writeReport(root, plan, 'a-r1', reportWith('r'));
    writeReport(root, plan, 'b', reportWith('r'));
    const { state } = readTaskStates(root, run);
    const join = plan.tasks[3];
    if (join === undefined) throw new Error('no join');
    const { input } = prepareTask(run, plan, state, join, loadConfig(root).values, CODEX).call();
    expect(envelopeOf(input)).toMatchObject({
      hint_paths: [
        '.rlm/runs/run-1/artifacts/reports/a-r1.md',
        '.rlm/runs/run-1/artifacts/reports/b.md',
        '.rlm/runs/run-1/',
        '.rlm/runs/run-1/artifacts/context/run_contract.md',
      ],
    });
  });
});

it('the prompt of a verify task asks for a verdict', () => {
  const prompt = promptOf(temporaryRoot(), 'Refute it', { mode: 'verify' });
  expect(prompt).toContain('a line "Verdict: confirmed", "Verdict: refuted" or "Verdict: undecided"');
});

describe('an assignment', () => {
  it('may write what the task owns and into a directory of its own, not among the reports of others', () => {
    const root = temporaryRoot();
    const assignment = assignmentOf(root, 'g', { owned_paths: ['src/a.ts', 'lib/'] });
    const own = `${root}/.rlm/runs/run-1/artifacts/drafts/map-0001`;
    expect(assignment.call().sandbox).toEqual({
      mode: 'workspace-write',
      writable: [`${root}/src/a.ts`, `${root}/lib`, own],
    });
    expect(assignmentOf(temporaryRoot(), 'g').call().sandbox).toEqual({
      mode: 'read-only',
      report: expect.stringMatching(/artifacts\/drafts\/map-0001$/),
    });
  });

  it('takes model and effort from the tier', () => {
    expect(assignmentOf(temporaryRoot(), 'g', { compute_tier: 'heavy' }).call()).toMatchObject({
      model: 'gpt-5.2-codex',
      effort: 'xhigh',
    });
    expect(assignmentOf(temporaryRoot(), 'g').call()).toMatchObject({
      model: 'gpt-5.1-codex-mini',
      effort: 'medium',
    });
  });

  it('accepts a report that exists, has content and is newer than the launch', () => {
    const root = temporaryRoot();
    const { plan, run } = plannedRun(root, { tasks: [{ worker_id: 'a', goal: 'g' }] });
    const [task] = plan.tasks;
    if (task === undefined) throw new Error('no task');
    const { state } = readTaskStates(root, run);
    const { accept } = prepareTask(run, plan, state, task, loadConfig(root).values, CODEX);
    const launch = Date.now();
    const rejected = (error: string) => ({
      ok: false,
      correctable: false,
      errors: [expect.stringContaining(error)],
    });
    expect(accept('done', launch)).toEqual(rejected('was not written'));
    writeReport(root, plan, 'a', ' \n\t\n');
    expect(accept('done', launch)).toEqual(rejected('is empty'));
    writeReport(root, plan, 'a', 'text', 60);
    expect(accept('done', launch)).toEqual(rejected('not touched since the launch'));
    writeReport(root, plan, 'a', 'ACCEPT');
    expect(accept('done', launch)).toEqual({ ...rejected('Contract Compliance'), correctable: true });
    writeReport(root, plan, 'a', reportWith('text'));
    expect(accept('', launch)).toEqual({ ok: true, text: sha256(reportWith('text')) });
  });
});
