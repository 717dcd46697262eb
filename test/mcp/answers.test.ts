import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { connectClient, rlm, textOf } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';

const RESULT_BYTES_MAX = 8192;
const QUESTION = 'How long does the reactor cool after an alarm?';

const Answer = z.object({
  content: z.string(),
  cut: z.boolean(),
  citations: z.array(z.object({ n: z.int(), source: z.string(), quote: z.string() })),
  coverage: z.string(),
  gaps: z.array(z.string()),
  path: z.string(),
  uri: z.string(),
});

/** Documents of which one answers the question, in a root of nothing else. */
function reactorRoot(): string {
  const root = temporaryDirectory();
  place(join(root, 'docs/reactor.md'), '# Reactor\n\nThe reactor cools for nine hours after an alarm.\n');
  for (let index = 0; index < 30; index += 1)
    place(join(root, `docs/other-${index}.md`), `# Garden ${index}\n\nRoses like sun and water.\n`);
  return root;
}

/** A search path on which there is no model's program, only Node. */
function withoutModels(): Record<string, string> {
  const home = temporaryDirectory();
  const programs = join(home, 'programs');
  mkdirSync(programs);
  symlinkSync(process.execPath, join(programs, 'node'));
  return { PATH: programs, HOME: home, RLM_CODEX: '', RLM_CLAUDE: '' };
}

test('a finished wait carries the answer with its citations, coverage and gaps; so do status and the command line', async () => {
  const root = reactorRoot();
  const client = await connectClient(root);
  const call = async (name: string, args: Record<string, unknown>) => {
    const result = await client.callTool({ name, arguments: args });
    expect(Buffer.byteLength(textOf(result))).toBeLessThanOrEqual(RESULT_BYTES_MAX);
    return z.record(z.string(), z.unknown()).parse(result.structuredContent);
  };
  await call('rlm_ask', { question: QUESTION, input: ['docs'], run_id: 'cooling', worker: 'extractive' });
  const waited = await call('rlm_wait', { run_id: 'cooling' });
  expect(waited).toMatchObject({ state: 'completed', worker: { name: 'extractive' } });
  const answer = Answer.parse(waited.answer);
  expect(answer.content).toContain('nine hours');
  expect(answer.citations[0]).toMatchObject({
    n: 1,
    source: expect.stringContaining('reactor.md'),
    quote: expect.stringContaining('nine hours'),
  });
  expect(answer.coverage).toContain('% of the bytes were read');
  expect(answer.path).toBe(join(root, '.rlm/runs/cooling/out/answer.json'));
  const { run } = z.object({ run: z.looseObject({}) }).parse(await call('rlm_status', { run_id: 'cooling' }));
  expect(run.answer).toMatchObject(answer);
  // The whole of it is read through the URI that the result names.
  expect(await call('rlm_read', { uri: answer.uri })).toMatchObject({ text: expect.stringContaining('[1]') });

  for (const args of [
    ['wait', 'cooling', '--json'],
    ['ask', QUESTION, '--input', 'docs', '--worker', 'extractive', '--json'],
  ]) {
    const { stdout } = await rlm(args, { cwd: root });
    expect(Answer.parse(JSON.parse(stdout).answer).content).toContain('nine hours');
  }
});

test('an answer of the longest kind still fits its result', async () => {
  const root = reactorRoot();
  const client = await connectClient(root);
  await client.callTool({
    name: 'rlm_ask',
    arguments: { question: QUESTION, input: ['docs'], run_id: 'long', worker: 'extractive' },
  });
  await client.callTool({ name: 'rlm_wait', arguments: { run_id: 'long' } });
  const path = join(root, '.rlm/runs/long/out/answer.json');
  const source = `docs/${'漢'.repeat(300)}.md:1-2`;
  place(
    path,
    JSON.stringify({
      content: '"漢字" \\ and so on\n'.repeat(1100),
      confidence: 0.5,
      citations: Array.from({ length: 500 }, (_, n) => ({ claim_id: `c${n}`, sources: [source] })),
      gaps: Array.from({ length: 200 }, (_, n) => `${n} ${'"gap" '.repeat(80)}`),
      artifacts: [],
    }),
  );
  const result = await client.callTool({ name: 'rlm_wait', arguments: { run_id: 'long' } });
  expect(Buffer.byteLength(JSON.stringify(result.structuredContent))).toBeLessThanOrEqual(RESULT_BYTES_MAX);
  const { answer } = z.object({ answer: Answer }).parse(result.structuredContent);
  expect(answer.cut).toBe(true);
  expect(answer.content.length).toBeGreaterThan(500);
  expect(answer.citations.length).toBeGreaterThan(0);
});

test('where auto found no model, status and wait say so', async () => {
  const root = reactorRoot();
  const client = await connectClient(root, withoutModels());
  await client.callTool({
    name: 'rlm_ask',
    arguments: { question: QUESTION, input: ['docs'], run_id: 'alone' },
  });
  const { structuredContent } = await client.callTool({ name: 'rlm_wait', arguments: { run_id: 'alone' } });
  expect(structuredContent).toMatchObject({
    state: 'completed',
    reason: expect.stringMatching(/^no model answered: no Codex/),
    worker: { name: 'extractive', lane: null, why: expect.stringContaining('no codex on PATH') },
  });
});
