import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NO_USAGE, type Usage } from '../../src/contracts/index.ts';
import { BatchFixture } from '../support/batch-run.ts';
import { rlm } from '../support/rlm.ts';

const JOBS = 440;
const ids = Array.from({ length: JOBS }, (_, index) => `j-${index + 1}`);

/** Job n uses 100 + n, n and n % 7 tokens an attempt; every fifth fails at its first. */
const RUNNER = String.raw`here=$(dirname "$0")
for last; do :; done
job=$(basename "$last" | sed 's/\.attempt.*//')
n=$(echo "$job" | sed 's/j-//')
echo "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":$((100 + n)),\"cached_input_tokens\":$n,\"output_tokens\":$((n % 7))}}"
if [ $((n % 5)) = 0 ] && [ ! -e "$here/tried/$job" ]; then : > "$here/tried/$job"; exit 1; fi
echo "{\"item\":{\"type\":\"agent_message\",\"text\":\"{\\\"chunk_id\\\":\\\"c-$job\\\",\\\"relevant\\\":true,\\\"summary\\\":\\\"ok\\\",\\\"confidence\\\":1,\\\"evidence\\\":[]}\"}}"`;

function expected(): Pick<Usage, 'input_tokens' | 'cached_input_tokens' | 'output_tokens'> {
  const sum = { input_tokens: 0, cached_input_tokens: 0, output_tokens: 0 };
  for (let n = 1; n <= JOBS; n += 1) {
    const attempts = n % 5 === 0 ? 2 : 1;
    sum.input_tokens += attempts * (100 + n);
    sum.cached_input_tokens += attempts * n;
    sum.output_tokens += attempts * (n % 7);
  }
  return sum;
}

test('usage is exact to the token over 440 jobs, failed attempts, a pause for a budget and a resume', async () => {
  const fixture = new BatchFixture(ids);
  mkdirSync(join(fixture.root, 'tried'));
  const runner = fixture.script('runner.sh', RUNNER);
  const args = ['--jobs', 'jobs.jsonl', '--run-dir', 'run', '--runner-script', runner, '--parallel', '4'];
  const paused = await rlm(['batch', ...args, '--max-attempts', '200'], { cwd: fixture.root });
  expect(paused.code, paused.stderr).toBe(2);
  expect(fixture.summary()).toMatchObject({ state: 'input_required' });
  const resumed = await rlm(['resume', '--run-dir', 'run', '--max-attempts', '1000'], { cwd: fixture.root });
  expect(resumed.code, resumed.stderr).toBe(0);

  const { usage_totals, results, jobs_succeeded } = fixture.summary();
  expect(jobs_succeeded).toBe(JOBS);
  expect(usage_totals).toMatchObject(expected());
  const rows = results.reduce(
    (sum, { usage }) => ({
      input_tokens: sum.input_tokens + usage.input_tokens,
      cached_input_tokens: sum.cached_input_tokens + usage.cached_input_tokens,
      output_tokens: sum.output_tokens + usage.output_tokens,
      reasoning_output_tokens: sum.reasoning_output_tokens + usage.reasoning_output_tokens,
    }),
    NO_USAGE,
  );
  expect(rows).toEqual(usage_totals);
  const attempts = fixture.events().filter(({ type }) => type === 'attempt_ended');
  expect(attempts).toHaveLength(JOBS + JOBS / 5);
}, 120_000);
