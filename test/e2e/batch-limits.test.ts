import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { ANSWER_LINE, BatchFixture } from '../support/batch-run.ts';
import { rlm } from '../support/rlm.ts';
import { place } from '../support/runs.ts';

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

/** Speaks the runner protocol: an answer about the chunk of its prompt, and 2,010 tokens. */
const RUNNER = `while [ $# -gt 1 ]; do [ "$1" = --prompt-file ] && prompt=$2; shift; done
id=$(sed -n 's/^chunk_id: //p' "$prompt")
answer='{"chunk_id":"'$id'","relevant":false,"summary":"ok","confidence":0.5,"evidence":[]}'
text=$(printf %s "$answer" | sed 's/"/\\\\"/g')
printf '{"item":{"type":"agent_message","text":"%s"}}\\n' "$text"
echo '{"type":"turn.completed","usage":{"input_tokens":2000,"output_tokens":10}}'`;

test.each([
  ['tokens', ['--max-tokens', '4500'], ['--max-tokens', '1000000']],
  ['dollars', ['--max-cost-usd', '0.0045'], ['--max-cost-usd', '1']],
  ['jobs', ['--max-workers', '2'], ['--max-workers', '100']],
  ['calls', ['--max-attempts', '2'], ['--max-attempts', '100']],
])('what was spent before a resume still counts: %s', async (what, limit, more) => {
  const fixture = new BatchFixture(['a', 'b', 'c', 'd', 'e', 'f']);
  const runner = fixture.script('runner.sh', RUNNER);
  const config = { prices: { m: { input: 1, output: 1 } } };
  place(join(fixture.root, '.rlm', 'config.json'), JSON.stringify(config));
  const there = (...args: string[]) => rlm([...args, '--run-dir', 'run'], { cwd: fixture.root });
  const batch = [
    'batch',
    '--jobs',
    'jobs.jsonl',
    '--runner-script',
    runner,
    '--model',
    'm',
    '--parallel',
    '4',
  ];
  await there(...batch, ...limit);
  const started = () => fixture.events().filter(({ type }) => type === 'attempt_started').length;
  expect(fixture.summary()).toMatchObject({ state: 'input_required', jobs_succeeded: 2 });
  expect(started()).toBe(2);
  await there('resume');
  expect(started()).toBe(2);
  expect((await there('resume', ...more)).code).toBe(0);
  expect(fixture.summary()).toMatchObject({ jobs_succeeded: 6, jobs_failed: 0 });
  if (what !== 'tokens' && what !== 'dollars') return;
  // Before it is known what a call uses, there is one at a time.
  const types = fixture.events().map(({ type }) => type);
  const second = types.indexOf('attempt_started', types.indexOf('attempt_started') + 1);
  expect(types.indexOf('attempt_ended')).toBeLessThan(second);
});

test('a chunk that never fits is split three times, and then fails', async () => {
  const fixture = new BatchFixture(['a']);
  const lines = Array.from({ length: 64 }, (_, at) => `Line ${at} of the chunk.`);
  fixture.write('chunks/a.txt', lines.join('\n'));
  const failed = '{"type":"turn.failed","error":{"message":"context_length_exceeded"}}';
  const runner = fixture.script('runner.sh', `echo '${failed}'\nexit 1`);
  await rlm(['batch', '--jobs', 'jobs.jsonl', '--runner-script', runner, '--run-dir', 'run'], {
    cwd: fixture.root,
  });
  expect(fixture.summary().results).toMatchObject([
    { status: 'failed', attempts: 4, failure_class: 'overflow' },
  ]);
});
