import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { chunkAnswer, stepOf, unit } from '../ask/asker.ts';
import { verifyAnswer } from '../ask/verify-answer.ts';
import { CLIENTS, type RealClient } from '../support/clients.ts';
import { isolatedCodex } from '../support/codex-home.ts';
import { startModelServer } from '../support/model-server.ts';
import { BUNDLE, exitOf } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';

const RESULT_BYTES_MAX = 8 * 1024;
const QUESTION = 'What is the code word of unit 2?';
/** A statement that no citation supports. */
const UNCITED = 'It was chosen in Norway.';
/** An answer that cites one span. */
const answerCiting = (source: string) => ({
  content: 'The code word is w-2 [1].',
  confidence: 0.9,
  citations: [{ claim_id: 'c-1', sources: [source] }],
  gaps: [],
  artifacts: [],
});
/** The span of the second document, as the reduced evidence names it. */
const spanIn = (read: string) => /"source":"(docs\/b\.md:\d+-\d+)"/.exec(read)?.[1] ?? 'none';

/** The steps that an agent takes by hand; each may look at what it has read so far. */
const STEPS: { tool: string; input: (read: string) => Record<string, unknown> }[] = [
  { tool: 'rlm_ingest', input: () => ({ input: ['docs'], run_id: 'by-hand' }) },
  {
    tool: 'rlm_search',
    input: () => ({
      run_id: 'by-hand',
      queries: ['code word of unit 2', 'password'],
      expanded_terms: ['secret'],
    }),
  },
  { tool: 'rlm_read', input: (read) => ({ run_id: 'by-hand', chunk_id: /c-\d{6}/.exec(read)?.[0] }) },
  { tool: 'rlm_build_jobs', input: () => ({ run_id: 'by-hand', questions: [QUESTION], top_k: 5 }) },
  { tool: 'rlm_run_batch', input: () => ({ run_id: 'by-hand', worker: 'extractive' }) },
  { tool: 'rlm_wait', input: () => ({ run_id: 'by-hand' }) },
  { tool: 'rlm_reduce_evidence', input: () => ({ run_id: 'by-hand' }) },
  // What is not in the evidence is refused; what is passes.
  {
    tool: 'rlm_finalize',
    input: () => ({ run_id: 'by-hand', answer: answerCiting('docs/b.md:40-44') }),
  },
  {
    tool: 'rlm_finalize',
    input: (read) => {
      const answer = answerCiting(spanIn(read));
      return { run_id: 'by-hand', answer: { ...answer, content: `${answer.content} ${UNCITED}` } };
    },
  },
];

/** A model that drives the steps one by one, and remembers what it read back from each. */
async function drivingModel(call: RealClient['call']) {
  const results: string[] = [];
  const server = await startModelServer({
    keyOf: () => 'session',
    reply({ body }) {
      // Clients also ask for titles and the like: only a call that offers our tools is a turn of the session.
      if (!JSON.stringify(body.tools ?? []).includes('rlm_ingest')) return { kind: 'answer', text: 'ok' };
      results.splice(0, results.length, ...resultsIn(body));
      const step = STEPS[results.length];
      return step === undefined
        ? { kind: 'answer', text: 'all steps are done' }
        : call(step.tool, step.input(results.join('\n')));
    },
  });
  onTestFinished(() => server.close());
  return { server, results };
}

/** What the tools gave back, as the model reads it. */
function resultsIn(body: Record<string, unknown>): string[] {
  const found: string[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (typeof value === 'object' && value !== null) {
      const type: unknown = Reflect.get(value, 'type');
      if (type === 'function_call_output') found.push(textOf(Reflect.get(value, 'output')));
      else if (type === 'tool_result') found.push(textOf(Reflect.get(value, 'content')));
      else Object.values(value).forEach(walk);
    }
  };
  walk(body.input ?? body.messages);
  return found;
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  const parts: unknown[] = Array.isArray(content) ? content : [];
  return parts.map((part) => String(Reflect.get(Object(part), 'text') ?? '')).join('\n');
}

function documents(): string {
  const root = temporaryDirectory();
  for (const [index, name] of ['a', 'b', 'c'].entries())
    place(join(root, 'docs', `${name}.md`), unit(index + 1));
  return root;
}

function expectDriven(root: string, results: readonly string[]): void {
  expect(results).toHaveLength(STEPS.length);
  for (const [index, result] of results.entries()) {
    expect(Buffer.byteLength(result), STEPS[index]?.tool).toBeLessThanOrEqual(RESULT_BYTES_MAX);
  }
  const [ingested, found, read, built, , waited, reduced, refused, finished] = results;
  expect(ingested).toContain('"sources_read":3');
  expect(found).toContain('docs/b.md');
  expect(read).toContain('The code word of unit');
  expect(built).toContain('"jobs":3');
  expect(waited).toMatch(/"state":"(completed|working)"/);
  expect(reduced).toMatch(/"source":"docs\/b\.md:\d+-\d+","quote":"[^"]*The code word of unit 2 is w-2\./);
  expect(refused).toContain("'docs/b.md:40-44' is not verified evidence. Verified there: docs/b.md:");
  expect(finished).toContain('"citations":1');
  expect(finished).toContain(`"uncited":["${UNCITED}"]`);
  const runDir = join(root, '.rlm/runs/by-hand');
  expect(verifyAnswer(runDir).quotes).toEqual([expect.stringContaining('The code word of unit 2 is w-2.')]);
  const written: unknown = JSON.parse(readFileSync(join(runDir, 'out/answer.json'), 'utf8'));
  const cited = answerCiting(spanIn(reduced ?? ''));
  expect(written).toEqual({
    ...cited,
    content: `${cited.content} ${UNCITED}`,
    gaps: [`No evidence is cited for: “${UNCITED}”`],
  });
}

test.each(CLIENTS)(
  '$name drives every step by hand through to an answer that passes the gate',
  async (client) => {
    const root = documents();
    const { server, results } = await drivingModel(client.call);
    const { code, stdout, stderr } = await client.run(root, server.url, QUESTION);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('all steps are done');
    expectDriven(root, results);
  },
  90_000,
);

test.each([
  ['exec', ['--worker', 'codex', '--lane', 'exec']],
  ['claude', ['--worker', 'claude']],
])(
  'a question is asked through the real %s from its expansion to its synthesis',
  async (_, flags) => {
    const root = temporaryDirectory();
    for (let n = 1; n <= 12; n += 1) place(join(root, 'docs', `${n}.md`), unit(n));
    const server = await startModelServer({
      keyOf: stepOf,
      reply({ prompt }) {
        const answers = {
          expansion: () => ({ terms: ['password'], phrasings: [] }),
          chunk: () => chunkAnswer(prompt),
          synthesis: () => ({
            claims: [{ text: 'The code word is w-2.', evidence: [numberOf(prompt, 'unit 2 is w-2')] }],
            conflicts: [],
            gaps: [],
            confidence: 0.8,
          }),
          merge: () => ({}),
        };
        return { kind: 'answer', text: JSON.stringify(answers[stepOf(prompt)]()) };
      },
    });
    onTestFinished(() => server.close());
    const codex = isolatedCodex(join(root, 'user'), server.url);
    const child = spawn(
      process.execPath,
      [
        BUNDLE,
        'ask',
        QUESTION,
        '--input',
        'docs',
        '--top-k',
        '4',
        '--run-id',
        'asked',
        '--pack-tokens',
        '1000',
        ...flags,
      ],
      {
        cwd: root,
        env: { ...process.env, ...codex.env, ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: 'sk-test' },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const { code, stdout, stderr } = await exitOf(child);
    expect(code, stdout + stderr).toBe(0);
    expect(existsSync(join(root, '.rlm/runs/asked/ask/expansion.json'))).toBe(true);
    const { answer, quotes } = verifyAnswer(join(root, '.rlm/runs/asked'));
    expect(answer.content).toBe('The code word is w-2. [1]');
    expect(quotes).toEqual(['The code word of unit 2 is w-2.']);
  },
  90_000,
);

function numberOf(prompt: string, words: string): number {
  const line = prompt.split('\n').find((text) => text.includes(words) && /^\d+\. /.test(text));
  return Number(line?.split('.')[0]);
}
