import { spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pdfOf } from '../corpus/fixtures.ts';
import { ANSWER_LINE, BatchFixture } from '../support/batch-run.ts';
import { BUNDLE } from '../support/rlm.ts';

/** Runs `rlm` for somebody whose files anybody may read and write. */
function rlmOfAnOpenHouse(root: string, args: string[]): void {
  const command = ['-c', 'umask 000; exec "$@"', 'sh', process.execPath, BUNDLE, ...args];
  const { status, stderr } = spawnSync('sh', command, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, RLM_ROOT: root },
  });
  expect([args[0], status, stderr]).toEqual([args[0], 0, expect.anything()]);
}

test('what a run leaves is for its owner alone, whatever the umask says', () => {
  const fixture = new BatchFixture(['one', 'two']);
  const { root } = fixture;
  const worker = fixture.script('worker.sh', `echo said >&2\n${ANSWER_LINE}`);
  writeFileSync(join(root, 'report.pdf'), pdfOf(['The valve opens at noon.']));
  rlmOfAnOpenHouse(root, [
    'ask',
    'When does the valve open?',
    '--input',
    'report.pdf',
    '--worker',
    'extractive',
    '--run-id',
    'question',
  ]);
  rlmOfAnOpenHouse(root, [
    'batch',
    '--jobs',
    'jobs.jsonl',
    '--run-id',
    'jobs',
    '--command',
    worker,
    '--command',
    '{chunk_id}',
  ]);
  rlmOfAnOpenHouse(root, ['archive', 'question']);
  const open: string[] = [];
  let files = 0;
  for (const name of ['', ...readdirSync(join(root, '.rlm'), { recursive: true, encoding: 'utf8' })]) {
    const stat = lstatSync(join(root, '.rlm', name));
    files += 1;
    const mode = stat.mode & 0o777;
    const wanted = stat.isDirectory() ? [0o700] : [0o600, 0o400];
    if (!wanted.includes(mode)) open.push(`${mode.toString(8)} ${name}`);
  }
  expect(files).toBeGreaterThan(40);
  expect(open).toEqual([]);
}, 60_000);
