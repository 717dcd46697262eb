import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AnswerCache } from '../../src/dispatch/index.ts';
import { readLines, readTextFile } from '../../src/files/index.ts';
import { rlm } from '../support/rlm.ts';
import { finishedBatch, temporaryDirectory, writeActivity } from '../support/runs.ts';

function putFifo(path: string): void {
  rmSync(path, { force: true });
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
}

test.each(['events.jsonl', 'activity.json', 'run.json'])(
  'a FIFO in place of %s holds neither status, cancel nor the list',
  async (name) => {
    const root = temporaryDirectory();
    const run = finishedBatch(root, { jobs: 2, runId: 'run-1' });
    // A driver that died in the middle: its journal is read on.
    writeActivity(run, { state: 'working', driver: { ...run.record.created_by, start: 'of-another-time' } });
    putFifo(join(run.dir, name));
    for (const command of [['status', 'run-1'], ['cancel', 'run-1'], ['resume', 'run-1'], ['runs']]) {
      const { signal, stdout } = await rlm([...command, '--json'], { cwd: root });
      expect([command[0], signal, typeof JSON.parse(stdout)]).toEqual([command[0], null, 'object']);
    }
    const { code, stdout } = await rlm(['status', 'run-1', '--json'], { cwd: root });
    // What the driver did is known from the journal; without that or the record of the run nothing is.
    if (name === 'activity.json') expect(code).toBe(0);
    else expect([code, stdout]).toEqual([1, expect.stringContaining('not a regular file')]);
  },
  60_000,
);

test('a FIFO in place of a cached answer is no answer, and one in place of lines is an error', async () => {
  const root = temporaryDirectory();
  const cache = new AnswerCache(root);
  const key = AnswerCache.key(['a']);
  cache.put(key, { text: '{}', worker: 'codex', model: 'm' });
  const path = join(root, '.rlm/cache/answers', key.slice(0, 2), `${key.slice(2)}.json`);
  expect(readTextFile(path)).toContain('"text"');
  putFifo(path);
  expect(cache.get(key)).toBeUndefined();
  await expect(readLines(path).next()).rejects.toMatchObject({ code: 'corrupt' });
});
