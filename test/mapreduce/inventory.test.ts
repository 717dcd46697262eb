import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
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
  it('of 5,000 reports is complete on disk, fits 8 kB as a result, and holds no word of a report', {
    timeout: 120_000,
  }, async () => {
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
    });
    expect(summary.attention.length + summary.attention_skipped).toBe(100);
    const result = JSON.stringify(summary);
    expect(Buffer.byteLength(result)).toBeLessThan(8192);
    expect(result).not.toContain('SECRET');

    const deferred = summarizeDeferred(root, planned.run, await collectDeferred(root, planned.run));
    expect(deferred).toMatchObject({ total: 4000, reports_with_section: 4000, summary: '4000 deferred' });
    expect(Buffer.byteLength(JSON.stringify(deferred))).toBeLessThan(8192);
  });

  it('takes for accepted only what says what a report must say, and gives size and age', () => {
    const root = temporaryRoot();
    const reports: [id: string, text: string, state: string][] = [
      ['with', REPORT, 'ok'],
      ['accept', 'ACCEPT', 'failed'],
      [
        'foreign',
        '---\ntitle: REJECT\n---\n# Notes\nContract Compliance is fine, I say in passing',
        'failed',
      ],
      ['quoted', '```\n## Contract Compliance\n```\ntext', 'failed'],
      ['bold', 'x\n\n**1. Contract compliance:** read', 'ok'],
      ['emphasis', '# Contract *Compliance*\nread', 'ok'],
      ['later', '', 'missing'],
    ];
    const planned = plannedRun(root, {
      tasks: reports.map(([worker_id]) => ({ worker_id, goal: 'g' })),
    });
    for (const [id, text] of reports) if (text !== '') writeReport(root, planned.plan, id, text, 5000);
    const { state } = readTaskStates(root, planned.run);
    expect(state.tasks.map((t) => [t.worker_id, t.state])).toEqual(reports.map(([id, , now]) => [id, now]));
    expect(state.tasks[1]?.failure_message).toContain('no section "Contract Compliance"');
    expect(state.tasks[0]?.size_bytes).toBe(Buffer.byteLength(REPORT));
    expect(state.tasks[0]?.age_sec).toBeGreaterThanOrEqual(5000);
  });

  it.each([
    ['Verdict: confirmed', 'confirmed'],
    ['**Verdict:** refuted, because of it', 'refuted'],
    ['## Verdict: `undecided`', 'undecided'],
    ['- Verdict: confirmed\n- Verdict: refuted', 'refuted'],
    ['Verdict: confirmed|refuted|undecided', null],
    ['```\nVerdict: confirmed\n```', null],
    ['It was confirmed, my verdict is: fine.', null],
  ])('reads the verdict of a verify report that says %j', (text, verdict) => {
    const root = temporaryRoot();
    const planned = plannedRun(root, { tasks: [{ worker_id: 'v', goal: 'g', mode: 'verify' }] });
    writeReport(root, planned.plan, 'v', `${text}\n\n${REPORT}`);
    expect(readTaskStates(root, planned.run).state.tasks[0]).toMatchObject({
      state: verdict === null ? 'failed' : 'ok',
      verdict,
    });
  });

  it('says why a report was refused, and advises no stronger worker for it, nor for a command', () => {
    const root = temporaryRoot();
    const planned = plannedRun(root, {
      tasks: ['large', 'command', 'silent'].map((worker_id) => ({ worker_id, goal: 'g' })),
    });
    const log = inflightLog(planned);
    const failure = { ...ACCEPTED, failure_class: 'invalid_output' as const };
    log.started('large', 1, 'log');
    const draft = join(planned.run.dir, 'artifacts/drafts/large/large.md');
    mkdirSync(dirname(draft), { recursive: true });
    symlinkSync('/nowhere', draft);
    log.ended('large', { ...failure, failure_message: 'large.md is a symlink' });
    log.started('command', 1, 'log', undefined, 'command');
    log.ended('command', { ...failure, failure_message: 'the report was not written' });
    log.started('silent', 1, 'log', undefined, 'codex');
    log.ended('silent', { ...failure, failure_message: 'the report was not written' });
    const { state } = readTaskStates(root, planned.run);
    expect(summarizeInventory(root, planned.run, state).attention).toMatchObject([
      { state: 'failed', error: 'large.md is a symlink', suggestion: { action: 'retry' } },
      { state: 'missing', error: 'the report was not written', suggestion: { action: 'retry' } },
      { state: 'missing', suggestion: { action: 'upgrade_tier' } },
    ]);
    expect(readPlanStatus(root, planned.run).failed).toContainEqual(
      expect.objectContaining({ worker_id: 'large', error: 'large.md is a symlink' }),
    );
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
