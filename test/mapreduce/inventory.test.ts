import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FailureClass, ReduceState } from '../../src/contracts/index.ts';
import {
  collectDeferred,
  countProgressNotes,
  draftOf,
  readPlanStatus,
  readTaskStates,
  summarizeDeferred,
  summarizeInventory,
  takeInventory,
} from '../../src/mapreduce/index.ts';
import { ACCEPTED, inflightLog, plannedRun, temporaryRoot, writeReport } from './fixture.ts';

const REPORT = `# map: something

## Contract Compliance
Contract read: yes.

## Findings
SECRET-FINDING in src/a.ts:1-2

## Deferred opportunities
- What: SECRET-IDEA. Why deferred: scope. How to validate: a test.
`;

describe('the inventory', () => {
  it('of 5,000 reports is complete on disk, fits 8 kB as a result, and holds no word of a report', async () => {
    const root = temporaryRoot();
    const planned = plannedRun(root, {
      tasks: Array.from({ length: 5000 }, (_, n) => ({ worker_id: `map-${n}`, goal: 'g' })),
    });
    // 4,000 good ones; the rest were launched and left nothing: the worst case for a result.
    for (const [n, task] of planned.plan.tasks.entries())
      if (n < 4000) writeReport(root, planned.plan, task.worker_id, REPORT);
    const log = inflightLog(planned);
    for (let n = 4000; n < 4100; n += 1) {
      log.started(`map-${n}`, 1, 'artifacts/logs/x.jsonl');
      log.ended(`map-${n}`, { ...ACCEPTED, failure_class: 'overflow', failure_message: 'x'.repeat(500) });
    }
    const { state } = takeInventory(root, planned.run);
    const onDisk = readFileSync(join(planned.run.dir, 'reduce_state.json'), 'utf8');
    expect(ReduceState.parse(JSON.parse(onDisk))).toEqual(state);
    expect(onDisk).not.toContain('SECRET');
    const summary = summarizeInventory(root, planned.run, state);
    expect(summary).toMatchObject({
      total: 5000,
      counts: { ok: 4000, missing: 900, failed: 100 },
      not_launched: 900,
      unlaunched_reports: 4000,
      path: '.rlm/runs/run-1/reduce_state.json',
      attention_skipped: 75,
    });
    const result = JSON.stringify(summary);
    expect(Buffer.byteLength(result)).toBeLessThan(8192);
    expect(result).not.toContain('SECRET');

    const deferred = summarizeDeferred(root, planned.run, await collectDeferred(root, planned.run));
    expect(deferred).toMatchObject({ total: 4000, reports_with_section: 4000, summary: '4000 deferred' });
    expect(Buffer.byteLength(JSON.stringify(deferred))).toBeLessThan(8192);
  });

  it('says sizes, ages and whether the contract section is there', () => {
    const root = temporaryRoot();
    const planned = plannedRun(root, {
      tasks: ['with', 'without', 'quoted', 'bold', 'emphasis', 'later'].map((worker_id) => ({
        worker_id,
        goal: 'g',
      })),
    });
    writeReport(root, planned.plan, 'with', REPORT, 5000);
    writeReport(root, planned.plan, 'without', '# r\nContract Compliance is fine, I say in passing');
    writeReport(root, planned.plan, 'quoted', '```\n## Contract Compliance\n```\ntext');
    writeReport(root, planned.plan, 'bold', 'x\n\n**1. Contract compliance:** read');
    writeReport(root, planned.plan, 'emphasis', '# Contract *Compliance*\nread');
    const { state } = readTaskStates(root, planned.run);
    expect(state.tasks.map((t) => [t.worker_id, t.state, t.contract_compliance])).toEqual([
      ['with', 'ok', true],
      ['without', 'ok', false],
      ['quoted', 'ok', false],
      ['bold', 'ok', true],
      ['emphasis', 'ok', true],
      ['later', 'missing', null],
    ]);
    expect(state.tasks[0]?.size_bytes).toBe(Buffer.byteLength(REPORT));
    expect(state.tasks[0]?.age_sec).toBeGreaterThanOrEqual(5000);
  });

  const cases: [FailureClass, 'micro' | 'meso' | 'macro', 'standard' | 'heavy', string][] = [
    ['timeout', 'meso', 'standard', 'split'],
    ['overflow', 'macro', 'heavy', 'split'],
    ['overflow', 'micro', 'standard', 'upgrade_tier'],
    ['invalid_output', 'macro', 'standard', 'split'],
    ['invalid_output', 'micro', 'standard', 'upgrade_tier'],
    ['invalid_output', 'meso', 'heavy', 'split'],
    ['invalid_output', 'micro', 'heavy', 'ask_user'],
    ['crashed', 'meso', 'standard', 'retry'],
    ['server', 'meso', 'standard', 'retry'],
    ['quota', 'meso', 'standard', 'fix_first'],
    ['auth', 'meso', 'standard', 'fix_first'],
  ];
  it.each(cases)(
    'suggests what to do after %s of a %s %s task: %s',
    (failure_class, granularity, compute_tier, action) => {
      const root = temporaryRoot();
      const planned = plannedRun(root, { tasks: [{ worker_id: 'a', goal: 'g', granularity, compute_tier }] });
      const log = inflightLog(planned);
      log.started('a', 1, 'log');
      log.ended('a', { ...ACCEPTED, failure_class });
      expect(readTaskStates(root, planned.run).state.tasks[0]?.suggestion?.action).toBe(action);
    },
  );
});

describe('a look at a report', () => {
  it('counts the lines of its last Progress section, and none of code blocks', () => {
    const root = temporaryRoot();
    const { plan } = plannedRun(root, { tasks: [{ worker_id: 'a', goal: 'g' }] });
    const path = join(root, plan.tasks[0]?.report_path ?? '');
    expect(countProgressNotes(path)).toBe(0);
    const text =
      '# r\n\n## Progress\n- old\n\n## Progress\n- one\n- two\n\n### deeper\n- three\n\n## Next\n- no\n```\n## Progress\n- fake\n```\n';
    writeReport(root, plan, 'a', text);
    expect(countProgressNotes(path)).toBe(4);
  });

  it('shows in the status how far a worker in flight is, and where its draft lies', () => {
    const root = temporaryRoot();
    const planned = plannedRun(root, { tasks: [{ worker_id: 'a', goal: 'g' }] });
    const [task] = planned.plan.tasks;
    if (task === undefined) throw new Error('no task');
    inflightLog(planned).started('a', 1, 'log');
    const draft = draftOf(planned.run, task).path;
    const row = () => readPlanStatus(root, planned.run).inflight[0];
    expect(row()).toMatchObject({ progress_notes: 0, report_age_sec: null });
    mkdirSync(dirname(draft), { recursive: true });
    writeFileSync(draft, '## Progress\n- SECRET done\n- SECRET doing\n');
    expect(row()).toMatchObject({
      progress_notes: 2,
      draft: '.rlm/runs/run-1/artifacts/drafts/a/a.md',
      state: 'inflight',
    });
    expect(JSON.stringify(row())).not.toContain('SECRET');
  });
});
