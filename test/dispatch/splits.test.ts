import { expect, test } from 'vitest';
import { BatchFixture } from '../support/batch-run.ts';
import { rlm } from '../support/rlm.ts';

test('a chunk that stays too much is split three times, and then given up', async () => {
  const fixture = new BatchFixture(['a']);
  fixture.write('chunks/a.txt', 'line\n'.repeat(512));
  const worker = fixture.script('worker.sh', 'exec sleep 30');
  const args = ['--command', worker, '{chunk_id}', '{prompt_file}', '--timeout-sec', '1', '--retries', '1'];
  const end = await rlm(['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', ...args], {
    cwd: fixture.root,
  });
  expect(end.code, end.stderr).toBe(3);
  // The whole, a half, a quarter, an eighth, and the eighth once more.
  expect(fixture.summary().results).toMatchObject([
    { status: 'failed', failure_class: 'timeout', attempts: 5 },
  ]);
}, 60_000);
