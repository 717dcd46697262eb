import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BatchFixture } from '../support/batch-run.ts';
import { type ChatRequest, chatServer, completion, message } from '../support/chat-server.ts';
import { rlm } from '../support/rlm.ts';

const chunkOf = ({ prompt }: ChatRequest) => /This is the chunk of (\w+)\./.exec(prompt)?.[1] ?? '';
const answerOf = (id: string) =>
  JSON.stringify({
    chunk_id: `c-${id}`,
    relevant: true,
    summary: `w-${id}`,
    confidence: 0.9,
    evidence: [{ loc: 'x:2-2', quote: `The code word of ${id} is w-${id}.`, note: 'n' }],
    gaps: [],
    errors: [],
  });

function fixtureOf(config: Record<string, unknown>, ids: string[]): BatchFixture {
  const fixture = new BatchFixture(ids);
  const { mkdirSync, writeFileSync } = process.getBuiltinModule('node:fs');
  mkdirSync(join(fixture.root, '.rlm'));
  writeFileSync(join(fixture.root, '.rlm/config.json'), JSON.stringify(config));
  return fixture;
}

const run = (
  fixture: BatchFixture,
  more: string[] = [],
  env: Record<string, string> = { MY_KEY: 'very-secret' },
) =>
  rlm(['batch', '--jobs', 'jobs.jsonl', '--run-dir', 'run', '--worker', 'http', ...more], {
    cwd: fixture.root,
    env,
  });

test('a batch over an OpenAI-compatible server: retries what is transient, counts every token, and knows its price', {
  timeout: 60_000,
}, async () => {
  const failed = new Set<string>();
  const server = await chatServer((request) => {
    const id = chunkOf(request);
    if (id === 'b' && !failed.has(id)) {
      failed.add(id);
      return {
        status: 429,
        headers: { 'retry-after-ms': '50' },
        body: { error: { message: 'slow down', type: 'rate_limit_exceeded', code: 'rate_limit_exceeded' } },
      };
    }
    return { body: completion(answerOf(id)) };
  });
  const fixture = fixtureOf(
    {
      http: { base_url: `${server.url}/v1`, model: 'local', key_variable: 'MY_KEY' },
      prices: { local: { input: 1, cached_input: 0.5, output: 10 } },
      limits: { backoff_ms: 10 },
    },
    ['a', 'b', 'c'],
  );
  const exit = await run(fixture);
  expect(exit.code).toBe(0);
  const summary = fixture.summary();
  expect(summary).toMatchObject({
    jobs_succeeded: 3,
    usage_totals: { input_tokens: 300, cached_input_tokens: 120, output_tokens: 60 },
  });
  expect(summary.cost_usd).toBeCloseTo((180 * 1 + 120 * 0.5 + 60 * 10) / 1e6, 10);
  expect(
    summary.results.map(({ attempts, worker, model, quotes_verified }) => [
      attempts,
      worker,
      model,
      quotes_verified,
    ]),
  ).toEqual([
    [1, 'http', 'served-model', 1],
    [2, 'http', 'served-model', 1],
    [1, 'http', 'served-model', 1],
  ]);
  // The instructions come first and are the same for all; the chunk comes last.
  const systems = new Set(server.requests.map(({ body }) => JSON.stringify((body.messages as unknown[])[0])));
  expect(systems.size).toBe(1);
  // The key is in no file of the run.
  const { stdout } = await import('execa').then(({ execa }) =>
    execa('grep', ['-rl', 'very-secret', fixture.root], { reject: false }),
  );
  expect(stdout).toBe('');
  expect(readFileSync(join(fixture.runDir, 'logs/a.attempt1.jsonl'), 'utf8')).toContain('served-model');
});

test("a batch over Anthropic's API stops at a used-up quota, and exits 75", { timeout: 60_000 }, async () => {
  const server = await chatServer((request) =>
    chunkOf(request) === 'a'
      ? {
          body: message([{ type: 'tool_use', id: 't', name: 'answer', input: JSON.parse(answerOf('a')) }], {
            stop_reason: 'tool_use',
          }),
        }
      : {
          status: 400,
          body: {
            type: 'error',
            error: {
              type: 'invalid_request_error',
              message: 'Your credit balance is too low to access the API',
            },
          },
        },
  );
  const fixture = fixtureOf(
    { http: { api: 'anthropic', base_url: server.url, model: 'claude-x', key_variable: 'MY_KEY' } },
    ['a', 'b', 'c', 'd'],
  );
  const exit = await run(fixture, ['--parallel', '1']);
  expect(exit.code).toBe(75);
  expect(fixture.summary()).toMatchObject({ state: 'input_required', jobs_succeeded: 1 });
  expect(server.requests).toHaveLength(2);
});

test('without its key it is refused before anything is sent, by the name of the variable', {
  timeout: 60_000,
}, async () => {
  const server = await chatServer(() => ({ body: completion('{}') }));
  const fixture = fixtureOf(
    { http: { base_url: `${server.url}/v1`, model: 'local', key_variable: 'NOT_SET' } },
    ['a'],
  );
  const exit = await run(fixture, [], {});
  expect(exit.code).not.toBe(0);
  expect(`${exit.stdout}${exit.stderr}`).toContain('NOT_SET');
  expect(server.requests).toHaveLength(0);
});
