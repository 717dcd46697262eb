import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ANSWER_LINE, BatchFixture } from '../support/batch-run.ts';
import { rlm } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';

const Report = z.object({
  run_id: z.string(),
  state: z.string(),
  outcome: z.string().nullable(),
  next: z.array(z.object({ tool: z.string(), args: z.record(z.string(), z.unknown()) })),
});

async function report(args: string[], cwd: string) {
  const { code, stdout } = await rlm([...args, '--json'], { cwd });
  return { code, ...Report.parse(JSON.parse(stdout)) };
}

/** A batch of four jobs, of which those that `case` patterns match fail. */
function batch(failing: string) {
  const fixture = new BatchFixture(['a', 'b', 'c', 'd']);
  const worker = fixture.script('worker.sh', `case $1 in ${failing}) exit 3;; esac\n${ANSWER_LINE}`);
  const command = ['--command', worker, '{chunk_id}'];
  const args = ['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', '--retries', '0', ...command];
  return { fixture, args };
}

test('a batch in which nothing was accepted has failed, wherever one looks, and is run again by its first step', async () => {
  const { fixture, args } = batch('*');
  const ended = await report(args, fixture.root);
  expect(ended).toMatchObject({ code: 3, state: 'failed', outcome: 'none' });
  expect(ended.next.map(({ tool }) => tool)).toEqual(['rlm_read', 'rlm_resume']);
  expect(ended.next[0]?.args).toEqual({ uri: `rlm://runs/${ended.run_id}/jobs?state=failed` });
  expect(JSON.parse(readFileSync(join(fixture.runDir, 'summary.json'), 'utf8'))).toMatchObject({
    jobs_succeeded: 0,
    jobs_failed: 4,
  });
  fixture.script('worker.sh', ANSWER_LINE);
  expect(await report(['resume', './run'], fixture.root)).toMatchObject({
    code: 0,
    state: 'completed',
    outcome: 'all',
  });
});

test('a batch of which some failed is completed, and says how to read, look and go on', async () => {
  const { fixture, args } = batch('c-b');
  const ended = await report(args, fixture.root);
  expect(ended).toMatchObject({ code: 2, state: 'completed', outcome: 'some' });
  expect(ended.next.map(({ tool, args: { uri } }) => uri ?? tool)).toEqual([
    expect.stringMatching(/\/results$/),
    expect.stringMatching(/\/jobs\?state=failed$/),
    'rlm_resume',
  ]);
});

test('a batch of which everything was done before is all of it, exit 0', async () => {
  const { fixture, args } = batch('none');
  expect(await report(args, fixture.root)).toMatchObject({ code: 0, outcome: 'all' });
  expect(await report(args, fixture.root)).toMatchObject({ code: 0, state: 'completed', outcome: 'all' });
});

test('lists of runs tell what failed from what succeeded', async () => {
  const root = temporaryDirectory();
  place(join(root, 'docs', 'a.md'), 'The ferry leaves at noon.\n');
  place(join(root, 'broken.sh'), '#!/bin/sh\nexit 3\n');
  const question = ['ask', 'When does the ferry leave?', '--input', 'docs'];
  const broken = ['--command', 'sh', 'broken.sh', '--retries', '0', '--run-id', 'broken'];
  expect(await report([...question, ...broken], root)).toMatchObject({
    code: 3,
    state: 'failed',
    outcome: 'none',
  });
  const reader = ['--worker', 'extractive', '--run-id', 'answered'];
  expect(await report([...question, ...reader], root)).toMatchObject({ code: 0, outcome: 'all' });
  const { stdout } = await rlm(['runs', '--json'], { cwd: root });
  const { runs } = z
    .object({ runs: z.array(z.object({ run_id: z.string(), outcome: z.string().nullable() })) })
    .parse(JSON.parse(stdout));
  expect(Object.fromEntries(runs.map(({ run_id, outcome }) => [run_id, outcome]))).toEqual({
    broken: 'none',
    answered: 'all',
  });
});

test('that the documents do not say it is an answer, exit 0', async () => {
  const root = temporaryDirectory();
  place(join(root, 'docs', 'a.md'), 'The ferry leaves at noon.\n'.repeat(3000));
  const ended = await report(
    ['ask', 'Xylophone zirconium?', '--input', 'docs', '--worker', 'extractive'],
    root,
  );
  expect(ended).toMatchObject({ code: 0, state: 'completed', outcome: 'all' });
});

test('nothing to work on is wrong usage, exit 1', async () => {
  const root = temporaryDirectory();
  place(join(root, 'empty', 'program.bin'), '\0\u0001\0\u0002');
  writeFileSync(join(root, 'jobs.jsonl'), '');
  const asked = await rlm(['ask', 'What?', '--input', 'empty', '--worker', 'extractive'], { cwd: root });
  expect(asked).toMatchObject({ code: 1 });
  expect(asked.stderr).toContain('no document can be read (skipped: 1 binary)');
  const ingested = await rlm(['ingest', 'empty'], { cwd: root });
  expect(ingested).toMatchObject({ code: 1 });
  expect(ingested.stderr).toContain('no document can be read (skipped: 1 binary)');
  expect(await rlm(['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'out'], { cwd: root })).toMatchObject({
    code: 1,
  });
});
