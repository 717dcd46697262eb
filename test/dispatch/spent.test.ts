import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BatchFixture } from '../support/batch-run.ts';
import { rlm } from '../support/rlm.ts';

/** Each answer uses 1,000 tokens; it takes a moment, so that calls overlap where they may. */
const RUNNER = String.raw`for last; do :; done
job=$(basename "$last" | sed 's/\.attempt.*//')
here=$(dirname "$0")
echo start >> "$here/calls.txt"
sleep 0.3
echo end >> "$here/calls.txt"
echo '{"type":"turn.completed","usage":{"input_tokens":900,"cached_input_tokens":0,"output_tokens":100}}'
echo "{\"item\":{\"type\":\"agent_message\",\"text\":\"{\\\"chunk_id\\\":\\\"c-$job\\\",\\\"relevant\\\":true,\\\"summary\\\":\\\"ok\\\",\\\"confidence\\\":1,\\\"evidence\\\":[]}\"}}"`;

function fixtureOf() {
  const fixture = new BatchFixture(['j-1', 'j-2', 'j-3', 'j-4', 'j-5', 'j-6']);
  mkdirSync(join(fixture.root, '.rlm'));
  fixture.write('.rlm/config.json', '{"prices":{"model-x":{"input":1000,"output":1000}}}');
  const runner = fixture.script('runner.sh', RUNNER);
  const batch = (...more: string[]) => {
    const args = [
      '--jobs',
      'jobs.jsonl',
      '--run-dir',
      'run',
      '--runner-script',
      runner,
      '--model',
      'model-x',
    ];
    return rlm(['batch', ...args, '--no-cache', ...more], { cwd: fixture.root });
  };
  const resume = (...more: string[]) => rlm(['resume', '--run-dir', 'run', ...more], { cwd: fixture.root });
  return { fixture, batch, resume };
}

/** A job of 1,000 tokens costs 1 dollar here. */
test.each([
  ['workers', '--max-workers', '2', '3'],
  ['tokens', '--max-tokens', '2500', '3500'],
  ['dollars', '--max-cost-usd', '2.5', '3.5'],
])('a resume counts the %s that were spent before it', async (_what, flag, limit, more) => {
  const { fixture, batch, resume } = fixtureOf();
  const paused = await batch('--parallel', '1', flag, limit);
  expect(paused.code, paused.stderr).toBe(2);
  expect(fixture.summary()).toMatchObject({ state: 'input_required', jobs_succeeded: 2 });
  // One more fits the larger limit, and no more than one.
  await resume(flag, more);
  expect(fixture.summary()).toMatchObject({ state: 'input_required', jobs_succeeded: 3 });
});

test('while nothing is known of the cost of a call, one goes out at a time', async () => {
  const { fixture, batch } = fixtureOf();
  const end = await batch('--parallel', '4', '--max-tokens', '100000');
  expect(end.code, end.stderr).toBe(0);
  expect(readFileSync(join(fixture.root, 'calls.txt'), 'utf8').split('\n').slice(0, 2)).toEqual([
    'start',
    'end',
  ]);
});
