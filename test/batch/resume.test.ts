import { readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ANSWER_LINE, BatchFixture } from '../support/batch-run.ts';
import { rlm } from '../support/rlm.ts';

const IDS = ['as-it-was', 'chunk-edited', 'result-edited', 'asked-else', 'touched', 'schema-of-its-own'];

/** Changes bytes of a file and nothing else that a look from outside shows, but for the time of the change. */
function editUnseen(path: string, from: string, to: string): void {
  const { atime, mtime, size } = statSync(path);
  writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
  utimesSync(path, atime, mtime);
  expect(statSync(path).size).toBe(size);
}

test('what is given again runs only what changed, however small the change', async () => {
  const fixture = new BatchFixture(IDS, (id) =>
    id === 'schema-of-its-own' ? { schema_path: 'other.json' } : {},
  );
  fixture.write('other.json', '{"minProperties":1}');
  const worker = fixture.script('worker.sh', ANSWER_LINE);
  const batch = () =>
    rlm(
      ['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', '--command', worker, '--command', '{chunk_id}'],
      { cwd: fixture.root },
    );
  const ran = () => {
    const events = fixture.events();
    const last = events.findLastIndex(({ type }) => type === 'driver_started');
    return events.slice(last).flatMap((event) => (event.type === 'attempt_started' ? [event.id] : []));
  };
  expect((await batch()).code).toBe(0);
  expect(ran().sort()).toEqual([...IDS].sort());

  expect((await batch()).code).toBe(0);
  expect(ran()).toEqual([]);

  editUnseen(join(fixture.root, 'chunks/chunk-edited.txt'), 'This', 'That');
  editUnseen(join(fixture.runDir, 'subresults/result-edited.json'), '"ok"', '"no"');
  editUnseen(join(fixture.root, 'jobs.jsonl'), 'of asked-else?', 'in asked-else?');
  editUnseen(join(fixture.root, 'other.json'), '1', '2');
  const touched = join(fixture.root, 'chunks/touched.txt');
  utimesSync(touched, new Date(), new Date());
  expect((await batch()).code).toBe(0);
  expect(ran().sort()).toEqual(['asked-else', 'chunk-edited', 'result-edited', 'schema-of-its-own']);
  expect(fixture.summary()).toMatchObject({ jobs_total: 6, jobs_succeeded: 6 });
});

test('a run that was moved keeps its results, and a result that is to lie elsewhere is made there', async () => {
  const fixture = new BatchFixture(['a', 'b']);
  const worker = fixture.script('worker.sh', `echo "$1" >> ${join(fixture.root, 'calls')}; ${ANSWER_LINE}`);
  const batch = async (runDir: string) => {
    const args = ['--run-dir', runDir, '--command', worker, '--command', '{chunk_id}'];
    const end = await rlm(['batch', '--jobs', 'jobs.jsonl', ...args], { cwd: fixture.root });
    expect(end.code, end.stderr).toBe(0);
    return readFileSync(join(fixture.root, 'calls'), 'utf8').trimEnd().split('\n').sort();
  };
  expect(await batch('run')).toEqual(['c-a', 'c-b']);
  renameSync(fixture.runDir, join(fixture.root, 'moved'));
  expect(await batch('moved')).toEqual(['c-a', 'c-b']);

  const jobs = join(fixture.root, 'jobs.jsonl');
  writeFileSync(jobs, readFileSync(jobs, 'utf8').replace('subresults/a.json', 'subresults/new.json'));
  await batch('moved');
  expect(readFileSync(join(fixture.root, 'moved/subresults/new.json'), 'utf8')).toContain('"c-a"');
});
