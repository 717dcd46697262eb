import { createHash } from 'node:crypto';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FinalInput, FinalReport, VerifyInput } from '../../src/contracts/index.ts';
import { ownIdentity } from '../../src/files/index.ts';
import { finalizePlan, revisePlan, verifyTasks } from '../../src/mapreduce/index.ts';
import { ACCEPTED, inflightLog, plannedRun, temporaryRoot, writeReport } from './fixture.ts';

const INPUT: FinalInput = {
  conclusions: [{ text: 'It leaks', evidence_paths: ['src.txt:2-3'] }],
  termination_decision: { should_finish: true, reason: 'verified' },
};

/** A run with one accepted map report and one verify task; `src.txt` has three lines. */
function runWithVerify(root: string) {
  writeFileSync(join(root, 'src.txt'), 'one\ntwo\nthree\n');
  const planned = plannedRun(root, {
    tasks: [
      { worker_id: 'map-0001', goal: 'g' },
      { worker_id: 'map-0002', goal: 'g' },
      { worker_id: 'verify-0001', goal: 'g', mode: 'verify' },
    ],
  });
  writeReport(root, planned.plan, 'map-0001', '# r\n## Deferred opportunities\n- Cache the index\n');
  return planned;
}

describe('final.json', () => {
  it('is refused without a completed verify stage, and says what is open', async () => {
    const root = temporaryRoot();
    const planned = runWithVerify(root);
    await expect(finalizePlan(root, planned.run, INPUT)).rejects.toThrow(
      /verify stage is not complete: verify-0001 without/,
    );
    revisePlan(root, 'run-1', { remove_tasks: ['verify-0001'] }, { inputRoots: [] });
    await expect(finalizePlan(root, planned.run, INPUT)).rejects.toThrow(/no verify task/);
  });

  it('holds the conclusions, evidence, deferred items, what is unfinished, and what it was read from', async () => {
    const root = temporaryRoot();
    const planned = runWithVerify(root);
    const log = inflightLog(planned);
    log.started('verify-0001', 1, 'log');
    writeReport(root, planned.plan, 'verify-0001', 'refuted');
    log.ended('verify-0001', ACCEPTED);
    const final = await finalizePlan(root, planned.run, INPUT);
    expect(FinalReport.parse(JSON.parse(readFileSync(join(planned.run.dir, 'final.json'), 'utf8')))).toEqual(
      final,
    );
    expect(final).toMatchObject({
      goal_summary: 'Find out',
      termination_decision: { should_finish: true, budget_used: { iterations: 1, workers: 1 } },
      evidence_paths: [
        '.rlm/runs/run-1/artifacts/reports/map-0001.md',
        '.rlm/runs/run-1/artifacts/reports/verify-0001.md',
        'src.txt:2-3',
      ],
      verify: { completed: true, tasks: ['verify-0001'], waived_because: null },
      unfinished_tasks: [{ worker_id: 'map-0002', state: 'missing' }],
      deferred_opportunities: [{ what: 'Cache the index', line: 3 }],
    });
    expect(final.rehydrated_from.map(({ path }) => path)).toEqual(
      [
        'plan.json',
        'artifacts/context/run_contract.md',
        'artifacts/scheduler/inflight.json',
        'reduce_state.json',
        'deferred.json',
      ].map((file) => `.rlm/runs/run-1/${file}`),
    );
    for (const { path, sha256 } of final.rehydrated_from) {
      expect(
        createHash('sha256')
          .update(readFileSync(join(root, path)))
          .digest('hex'),
      ).toBe(sha256);
    }
  });

  it('records why verification was waived', async () => {
    const root = temporaryRoot();
    const { run } = runWithVerify(root);
    const final = await finalizePlan(root, run, { ...INPUT, waive_verify: 'a dry run' });
    expect(final.verify).toEqual({ completed: false, tasks: ['verify-0001'], waived_because: 'a dry run' });
  });

  it.each([
    ['that is not there', 'nothing.txt', /'nothing.txt' does not exist/],
    ['outside the root', '../../etc/passwd', /lies outside/],
    ['behind a symlink', 'link/passwd', /symlink/],
    ['beyond the last line', 'src.txt:2-9', /fewer lines than 9/],
    ['with lines the wrong way round', 'src.txt:3-2', /not a range/],
  ])('is refused with evidence %s', async (_name, evidence, message) => {
    const root = temporaryRoot();
    const { run } = runWithVerify(root);
    symlinkSync('/etc', join(root, 'link'));
    const input = { ...INPUT, waive_verify: 'test', evidence_paths: [evidence] };
    await expect(finalizePlan(root, run, input)).rejects.toThrow(message);
    expect(() => readFileSync(join(run.dir, 'final.json'))).toThrow(/ENOENT/);
  });

  it('is refused while a worker runs, and when an accepted report was changed since', async () => {
    const root = temporaryRoot();
    const planned = runWithVerify(root);
    const log = inflightLog(planned);
    log.started('map-0002', 1, 'log', ownIdentity());
    await expect(finalizePlan(root, planned.run, { ...INPUT, waive_verify: 'x' })).rejects.toThrow(
      /1 workers still run: map-0002/,
    );
    writeReport(root, planned.plan, 'map-0002', 'true');
    log.ended('map-0002', { ...ACCEPTED, report_sha256: createHash('sha256').update('true').digest('hex') });
    writeReport(root, planned.plan, 'map-0002', 'forged');
    await expect(finalizePlan(root, planned.run, { ...INPUT, waive_verify: 'x' })).rejects.toThrow(
      /report of 'map-0002' was changed after/,
    );
  });

  it('counts a verify task as complete once its retry is accepted', async () => {
    const root = temporaryRoot();
    const planned = runWithVerify(root);
    const retry = {
      worker_id: 'verify-0001-r1',
      goal: 'g',
      mode: 'verify' as const,
      retry_of: 'verify-0001',
    };
    revisePlan(root, 'run-1', { tasks: [retry] }, { inputRoots: [] });
    await expect(finalizePlan(root, planned.run, INPUT)).rejects.toThrow(/verify-0001-r1 without/);
    writeFileSync(join(planned.run.dir, 'artifacts/reports/verify-0001-r1.md'), 'confirmed');
    expect((await finalizePlan(root, planned.run, INPUT)).verify.completed).toBe(true);
  });
});

describe('verify tasks', () => {
  it('are made of topics, contradictions and claims, with the next free ids', () => {
    const root = temporaryRoot();
    const { plan } = runWithVerify(root);
    const tasks = verifyTasks(plan, {
      topics: [{ topic: 'leak', paths: ['src.txt'] }],
      contradictions: [{ statements: ['it leaks', 'it does not'] }],
      key_claims: [{ claim: 'line 2 leaks' }],
    });
    expect(tasks.map((t) => [t.worker_id, t.mode, t.compute_tier])).toEqual([
      ['verify-0002', 'verify', 'standard-plus'],
      ['verify-0003', 'verify', 'standard-plus'],
      ['verify-0004', 'verify', 'standard-plus'],
    ]);
    expect(tasks[0]).toMatchObject({ goal: expect.stringContaining('leak'), hint_paths: ['src.txt'] });
    expect(tasks[1]?.goal).toContain('1. it leaks\n2. it does not');
    expect(revisePlan(root, 'run-1', { tasks }, { inputRoots: [] }).plan.tasks).toHaveLength(6);
  });

  it('have at most five topics', () => {
    const topics = Array.from({ length: 6 }, (_, n) => ({ topic: `t${n}` }));
    expect(VerifyInput.safeParse({ topics }).error?.issues[0]?.path).toEqual(['topics']);
    expect(VerifyInput.safeParse({ topics: topics.slice(1) }).success).toBe(true);
  });
});
