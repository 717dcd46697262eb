import { expect, test, vi } from 'vitest';
import { ANSWER_LINE, BatchFixture } from '../support/batch-run.ts';
import { rlm } from '../support/rlm.ts';

vi.setConfig({ testTimeout: 60_000 });

function batchOf(ids: string[], body: string) {
  const fixture = new BatchFixture(ids);
  const worker = fixture.script('worker.sh', body);
  const there = (...args: string[]) => rlm([...args, '--run-dir', 'run'], { cwd: fixture.root });
  return {
    fixture,
    there,
    batch: (...more: string[]) =>
      there('batch', '--jobs', 'jobs.jsonl', '--command', worker, '--command', '{chunk_id}', ...more),
    status: async () => JSON.parse((await there('status', '--json')).stdout).run,
    launches: () => fixture.events().filter(({ type }) => type === 'attempt_started').length,
  };
}

test('calls that are under way when the minutes are over pause the run, and are made again when there are more', async () => {
  const { fixture, there, batch, status, launches } = batchOf(['a', 'b'], 'exec sleep 300');
  await batch('--max-minutes', '0.03');
  expect(await status()).toMatchObject({
    state: 'input_required',
    reason: expect.stringContaining('max_minutes 0.03 is over'),
    progress: { failed: 0, accepted: 0 },
  });
  // The minutes count over resumes: without more of them nothing is launched.
  const before = launches();
  await there('resume');
  expect(await status()).toMatchObject({ state: 'input_required' });
  expect(launches()).toBe(before);
  fixture.script('worker.sh', ANSWER_LINE);
  expect((await there('resume', '--max-minutes', '5')).code).toBe(0);
  expect(fixture.summary()).toMatchObject({ jobs_succeeded: 2 });
});

test('the result of a program names no model, and what it said shows when it was no JSON', async () => {
  const { fixture, batch } = batchOf(
    ['a', 'b'],
    `[ "$1" = c-a ] && { echo "I cannot help with that."; exit; }\n${ANSWER_LINE}`,
  );
  await batch('--retries', '0');
  const results = fixture.summary().results;
  expect(results).toMatchObject([
    { job_id: 'a', model: null, errors: [expect.stringContaining('it said: I cannot help with that.')] },
    { job_id: 'b', model: null, status: 'success' },
  ]);
});
