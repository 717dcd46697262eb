import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rlm } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';
import { Asker, chunkAnswer, readState, synthesis, unit, units } from './asker.ts';
import { readEvidence, verifyAnswer } from './verify-answer.ts';

const QUESTION = 'What is the code word of each unit?';
const ASK = ['ask', QUESTION, '--input', 'docs'];

describe('a document that vanishes before the answer is written', () => {
  test('takes its own statements with it, and no others', async () => {
    const asker = await Asker.start({
      synthesis(prompt) {
        rmSync(join(asker.root, 'docs/unit-003.md'));
        return synthesis(prompt);
      },
    });
    asker.write(units(5));
    const { code, stdout, stderr } = await asker.rlm(...ASK);
    expect(code, stderr).toBe(0);
    const { answer, quotes } = verifyAnswer(asker.run());
    expect(readState(asker.run()).answered_by).toBe('synthesis');
    expect(quotes.sort()).toEqual([1, 2, 4, 5].map((n) => `The code word of unit ${n} is w-${n}.`));
    expect(answer.content).not.toContain('w-3');
    expect(answer.gaps).toContain(
      'A statement was dropped: docs/unit-003.md changed while the question was answered.',
    );
    expect(stdout).toMatch(/^note: documents changed while the question was answered/m);
    expect(readEvidence(asker.run()).counts).toMatchObject({ quotes_rejected: 1 });
  }, 60_000);

  test('leaves the quotes of the others when there is no synthesis either', async () => {
    const asker = await Asker.start({
      synthesis(prompt) {
        rmSync(join(asker.root, 'docs/unit-003.md'), { force: true });
        return synthesis(prompt, { claims: [{ text: 'There are 4711 units.', evidence: [1] }] });
      },
    });
    asker.write(units(5));
    const { code, stderr } = await asker.rlm(...ASK);
    expect(code, stderr).toBe(0);
    expect(verifyAnswer(asker.run()).quotes).toHaveLength(4);
  }, 60_000);
});

test('a chunk that no answer can be had about does not take those with it that were packed into its job', async () => {
  const asker = await Asker.start({
    chunk: (prompt) => (prompt.includes('unit 3 is') ? 'I cannot read this.' : chunkAnswer(prompt)),
  });
  asker.write(units(5));
  const { code, stdout, stderr } = await asker.rlm(...ASK);
  expect(code, stderr).toBe(2);
  const { answer, quotes } = verifyAnswer(asker.run());
  expect(quotes.sort()).toEqual([1, 2, 4, 5].map((n) => `The code word of unit ${n} is w-${n}.`));
  expect(answer.gaps.join('\n')).toMatch(/Not everything was read: .*A job failed: .*I cannot read this/s);
  expect(stdout).toMatch(/^note: jobs over several chunks failed: 5 chunks were asked about one by one$/m);
}, 60_000);

test('an ask for which no model was there says so in its gaps and its reason', async () => {
  const root = temporaryDirectory();
  place(join(root, 'docs/a.md'), unit(3));
  const env = { PATH: '/nowhere', HOME: root, CODEX_HOME: join(root, 'none'), ANTHROPIC_API_KEY: '' };
  const ask = await rlm([...ASK, '--run-id', 'alone'], { cwd: root, env });
  expect(ask.code, ask.stderr).toBe(0);
  const { answer } = verifyAnswer(join(root, '.rlm/runs/alone'));
  expect(answer.gaps[0]).toMatch(/^No model answered, so passages were chosen by their words: no Codex: /);
  const status = await rlm(['status', '--run', 'alone', '--json'], { cwd: root, env });
  expect(JSON.parse(status.stdout)).toMatchObject({
    run: { state: 'completed', reason: expect.stringMatching(/^no model answered: no Codex: /) },
  });
  // Who asked for the extractive reader knows.
  await rlm([...ASK, '--run-id', 'asked', '--worker', 'extractive'], { cwd: root, env });
  expect(verifyAnswer(join(root, '.rlm/runs/asked')).answer.gaps.join()).not.toContain('No model');
});

test('a sample whose jobs all failed is not said to come from the cache, and attempts are counted', async () => {
  const root = temporaryDirectory();
  for (const [name, text] of Object.entries(units(20))) place(join(root, name), text);
  const dry = [...ASK, '--dry-run', '--sample', '2', '--command', 'false', '--retries', '2'];
  const { stdout } = await rlm(dry, { cwd: root });
  expect(stdout).toMatch(/^note: 2 of 2 sample jobs failed: attempt 3: crashed: /m);
  expect(stdout).not.toContain('from the cache: there was nothing');
  expect(stdout).toMatch(/^cost: 0 of 2 calls answered in 6 attempts, /m);
});

test('documents whose names end in a blank or break a line are read and cited, by an ask and by hand', async () => {
  const root = temporaryDirectory();
  const names = ['docs/blank ', 'docs/line\nbreak.md', 'docs/line\u2028separator.md', 'docs/plain.md'];
  for (const [index, name] of names.entries()) {
    place(join(root, name), `The code word of unit ${index} is w-${index}.\n`);
  }
  const run = async (...args: string[]) => {
    const end = await rlm(args, { cwd: root });
    expect(end.code, end.stderr).toBe(0);
  };
  const evidenceOf = (runId: string) => readEvidence(join(root, '.rlm/runs', runId));
  await run(...ASK, '--worker', 'extractive', '--run-id', 'asked');
  await run('ingest', 'docs', '--run-id', 'by-hand');
  await run('build-jobs', 'by-hand', '--questions', QUESTION, '--top-k', 'all');
  await run('batch', '--run', 'by-hand', '--worker', 'extractive');
  await run('reduce-evidence', 'by-hand');
  for (const runId of ['asked', 'by-hand']) {
    const { items, counts } = evidenceOf(runId);
    expect(items.map(({ source }) => source).sort()).toEqual([...names].sort());
    expect(counts).toMatchObject({ jobs_failed: 0, quotes_rejected: 0 });
  }
  const { answer } = verifyAnswer(join(root, '.rlm/runs/asked'));
  expect(answer.citations).toHaveLength(4);
});

test('a quote of a document that is called by its chunk is cited from that document, not from its twin', async () => {
  const asker = await Asker.start({
    chunk: (prompt) =>
      chunkAnswer(prompt, {
        evidence: [{ loc: 'c-000002:1-1', quote: 'The code word of each unit is w-9.', note: 'says it' }],
      }),
  });
  asker.write({
    'docs/a ': 'The code word of each unit is w-9.\n',
    'docs/b ': 'The code word of each unit is w-9.\n\nMore.\n',
  });
  const { code, stderr } = await asker.rlm(...ASK);
  expect(code, stderr).toBe(0);
  expect(readEvidence(asker.run()).items.map(({ source }) => source)).toEqual(['docs/b ']);
}, 60_000);
