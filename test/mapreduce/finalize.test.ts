import { createHash } from 'node:crypto';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type FinalInput, FinalReport, VerifyInput } from '../../src/contracts/index.ts';
import { ownIdentity } from '../../src/files/index.ts';
import {
  finalizePlan,
  readTaskStates,
  readyTasks,
  retryTask,
  revisePlan,
  verifyStage,
  verifyTasks,
} from '../../src/mapreduce/index.ts';
import { sha256 } from '../../src/text/index.ts';
import { ACCEPTED, inflightLog, plannedRun, reportWith, temporaryRoot, writeReport } from './fixture.ts';

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
  writeReport(
    root,
    planned.plan,
    'map-0001',
    reportWith('# r\n## Deferred opportunities\n- Cache the index\n'),
    // Older than whatever is launched afterwards: times have milliseconds.
    1,
  );
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
    writeReport(root, planned.plan, 'verify-0001', reportWith('It holds not.', 'refuted'));
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
      verify: {
        completed: true,
        tasks: ['verify-0001'],
        verdicts: [{ worker_id: 'verify-0001', verdict: 'refuted' }],
        waived_because: null,
      },
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
    expect(final.verify).toEqual({
      completed: false,
      tasks: ['verify-0001'],
      verdicts: [],
      waived_because: 'a dry run',
    });
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
    for (const id of ['map-0001', 'map-0002']) {
      log.started(id, 1, 'log');
      writeReport(root, planned.plan, id, reportWith('true'));
      log.ended(id, { ...ACCEPTED, report_sha256: sha256(reportWith('true')) });
      writeReport(root, planned.plan, id, reportWith('forged'));
    }
    const input = { ...INPUT, waive_verify: 'x' };
    // All of them at once, and each can be retried.
    await expect(finalizePlan(root, planned.run, input)).rejects.toThrow(
      /2 reports were changed after they were accepted: map-0001, map-0002/,
    );
    const { plan, state } = readTaskStates(root, planned.run);
    expect(state.counts).toMatchObject({ changed: 2, ok: 0 });
    expect(readyTasks(plan, state, { stage: 'map' }).waiting[0]).toMatchObject({ reason: 'failed' });
    revisePlan(root, 'run-1', { tasks: [retryTask(plan, state, 'map-0001')] }, { inputRoots: [] });
    rmSync(join(planned.run.dir, 'artifacts/reports/map-0002.md'));
    expect(readTaskStates(root, planned.run).state.tasks[1]).toMatchObject({
      state: 'changed',
      failure_message: 'its report was deleted after it was accepted',
    });
    writeReport(root, planned.plan, 'map-0002', reportWith('true'));
    writeFileSync(join(planned.run.dir, 'artifacts/reports/map-0001-r1.md'), reportWith('again'));
    expect(
      readTaskStates(root, planned.run).state.tasks.map((task) => [task.worker_id, task.satisfied]),
    ).toEqual([
      ['map-0001', true],
      ['map-0002', true],
      ['verify-0001', false],
      ['map-0001-r1', true],
    ]);
    await finalizePlan(root, planned.run, input);
  });

  it('is refused when nothing was verified: map tasks reported after the verify stage, or not at all', async () => {
    const root = temporaryRoot();
    const planned = runWithVerify(root);
    const log = inflightLog(planned);
    const reported = (id: string, text: string) => {
      log.started(id, 1, 'log');
      writeReport(root, planned.plan, id, text);
      log.ended(id, ACCEPTED);
    };
    rmSync(join(planned.run.dir, 'artifacts/reports/map-0001.md'));
    reported('verify-0001', reportWith('', 'confirmed'));
    await expect(finalizePlan(root, planned.run, INPUT)).rejects.toThrow(
      /no map task has an accepted report/,
    );
    await sleep(5);
    reported('map-0002', reportWith('late'));
    await expect(finalizePlan(root, planned.run, INPUT)).rejects.toThrow(
      /map-0002 reported after the last verify task was launched/,
    );
    const { plan, state } = readTaskStates(root, planned.run);
    expect(verifyStage(state)).toMatchObject({ completed: false, open: [], unverified: ['map-0002'] });
    const more = verifyTasks(plan, { key_claims: [{ claim: 'It is late.' }] });
    const revised = revisePlan(root, 'run-1', { tasks: more }, { inputRoots: [] });
    await sleep(5);
    log.started('verify-0002', 1, 'log');
    writeReport(root, revised.plan, 'verify-0002', reportWith('', 'undecided'));
    log.ended('verify-0002', ACCEPTED);
    expect((await finalizePlan(root, planned.run, INPUT)).verify).toMatchObject({
      completed: true,
      verdicts: [{ verdict: 'confirmed' }, { verdict: 'undecided' }],
    });
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
    writeFileSync(join(planned.run.dir, 'artifacts/reports/verify-0001-r1.md'), reportWith('', 'confirmed'));
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
