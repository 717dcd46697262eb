import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { connectClient, rlm, textOf } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';

const Searched = z.object({
  results: z.array(
    z.object({
      engine: z.string(),
      engine_reason: z.string(),
      hits: z.array(z.object({ source: z.string() })),
    }),
  ),
});
const LINE = 'A plain line about tides and harbours that is written here many times over.\n';

/** 72 MB in two documents: more than what a scan is always good enough for. */
function largeDocuments(): string {
  const root = temporaryDirectory();
  place(join(root, 'docs', 'large.txt'), `${LINE.repeat(950_000)}The gyroscope was calibrated by Noether.\n`);
  place(join(root, 'docs', 'small.txt'), 'A second document.\n');
  return root;
}

async function search(root: string, question: string) {
  const { code, stdout, stderr } = await rlm(['search', 'documents', question, '--json'], { cwd: root });
  expect([code, stderr]).toEqual([0, '']);
  const [result] = Searched.parse(JSON.parse(stdout)).results;
  return [result?.engine, result?.engine_reason, result?.hits[0]?.source];
}

test('large documents that are searched again get an index in the background, which then serves', async () => {
  const root = largeDocuments();
  await rlm(['ingest', 'docs', '--run-id', 'documents'], { cwd: root });
  expect(await search(root, 'gyroscope')).toEqual([
    'scan',
    expect.stringContaining('made in the background when these documents are asked again'),
    'docs/large.txt',
  ]);
  const second = await search(root, 'Noether');
  expect(second).toEqual([
    'scan',
    expect.stringMatching(/built in the background, run index-/),
    'docs/large.txt',
  ]);
  const run = /run (index-[0-9a-f]+)/.exec(second[1] ?? '')?.[1] ?? '';
  const waited = await rlm(['wait', run, '--until', 'end', '--json'], { cwd: root });
  expect(JSON.parse(waited.stdout)).toMatchObject({ kind: 'index', state: 'completed' });
  const served = ['index', 'an index of every word in these documents', 'docs/large.txt'];
  expect(await search(root, 'calibrated gyroscope')).toEqual(served);
  const client = await connectClient(root);
  const call = async () => {
    const result = await client.callTool({
      name: 'rlm_search',
      arguments: { run_id: 'documents', queries: ['gyroscope'] },
    });
    return Searched.parse(JSON.parse(textOf(result))).results[0];
  };
  expect(await call()).toMatchObject({ engine: 'index', hits: [{ source: 'docs/large.txt' }] });
  // After an edit it is another corpus: an open server sees that, and the old index does not serve.
  appendFileSync(join(root, 'docs', 'small.txt'), 'The astrolabe and the gyroscope are in it.\n');
  await rlm(['ingest', 'docs', '--run-id', 'documents'], { cwd: root });
  expect(await call()).toMatchObject({ engine: 'scan', hits: [{ source: 'docs/small.txt' }, {}] });
}, 120_000);

test('ingest makes the index itself, or none ever, when told so', async () => {
  const root = largeDocuments();
  await rlm(['ingest', 'docs', '--run-id', 'documents', '--index', 'now'], { cwd: root });
  expect((await search(root, 'gyroscope'))[0]).toBe('index');
  await rlm(['ingest', 'docs', '--run-id', 'documents', '--index', 'never', '--chunk-tokens', '1000'], {
    cwd: root,
  });
  for (let time = 0; time < 3; time += 1) {
    expect(await search(root, 'gyroscope')).toEqual([
      'scan',
      expect.stringContaining('never'),
      'docs/large.txt',
    ]);
  }
}, 120_000);

test('a second ask of large documents starts an index, and a third one is served by it', async () => {
  const root = largeDocuments();
  const ask = async (question: string) => {
    const { stdout } = await rlm(['ask', question, '--input', 'docs', '--worker', 'extractive'], {
      cwd: root,
    });
    return /over the best chunks, by (.*)\)/.exec(stdout)?.[1];
  };
  expect(await ask('Who calibrated the gyroscope?')).toMatch(/^scan \(no index yet/);
  expect(await ask('When was the gyroscope calibrated?')).toMatch(/^scan \(no index yet/);
  const runs = await rlm(['runs', '--json'], { cwd: root });
  const run = /index-[0-9a-f]+/.exec(runs.stdout)?.[0] ?? 'none';
  await rlm(['wait', run, '--until', 'end'], { cwd: root });
  expect(await ask('What did Noether calibrate?')).toMatch(/^index \(an index of every word/);
}, 120_000);
