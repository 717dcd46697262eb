import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { FailureClass } from '../../src/contracts/index.ts';
import { createCodexWorker } from '../../src/workers/codex/index.ts';
import type { Worker, WorkRequest } from '../../src/workers/worker.ts';
import { fakeProvider, type IsolatedCodex, isolatedCodex, SECRET_LOGIN } from '../support/codex-home.ts';
import { processesMarked } from '../support/marked-processes.ts';
import { type ModelServer, startModelServer } from '../support/model-server.ts';
import { modeOf, modeScript } from './codex-script.ts';
import { temporaryDirectory, until, workRequest } from './request.ts';

const directory = temporaryDirectory();
const schemaPath = join(directory, 'schema.json');
const schema = {
  type: 'object',
  properties: { ok: { type: 'boolean' } },
  required: ['ok'],
  additionalProperties: false,
};
let model: ModelServer;
let codex: IsolatedCodex;
let requests = 0;

beforeAll(async () => {
  model = await startModelServer(modeScript);
  codex = isolatedCodex(directory, model.url);
  writeFileSync(schemaPath, JSON.stringify(schema));
});
afterAll(() => model.close());

function request(mode: string, changes: Partial<WorkRequest> = {}): WorkRequest {
  requests += 1;
  return workRequest(directory, {
    id: `j-${requests}`,
    input: `MODE=${mode} of request ${requests}`,
    schema: { path: schemaPath, value: schema },
    ...changes,
  });
}

describe.each(['exec', 'app-server'] as const)('codex through %s', (lane) => {
  const mark = `${directory}/${lane}`;
  const marks = { RLM_WORKER_OF: mark };
  let worker: Worker;
  beforeAll(async () => {
    worker = await createCodexWorker({ root: directory, lane, env: codex.env, marks });
  });
  afterAll(() => worker.close());
  afterEach(() => {
    model.calls.length = 0;
  });

  test('answers, with the exact usage, and says who it is', async () => {
    const result = await worker.run(request('ok'));
    expect(result).toMatchObject({
      answer: '{"ok":true}',
      usage: {
        input_tokens: 100,
        cached_input_tokens: 40,
        output_tokens: 20,
        reasoning_output_tokens: 5,
      },
      costUsd: null,
      model: 'model-x',
    });
    expect(result.failure).toBeUndefined();
    expect(worker).toMatchObject({ name: 'codex', lane });
    expect(worker.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test('sends our instructions once, first, then the input, the schema, and little else', async () => {
    const instructions = `Read the chunk. ${'Quote it word by word. '.repeat(50)}End.`;
    const input = 'MODE=ok What does it say?';
    await worker.run(request('ok', { instructions, input }));
    const [call] = model.calls;
    expect(call?.prompt.split(instructions)).toHaveLength(2);
    expect(call?.prompt.indexOf(instructions)).toBeLessThan(call?.prompt.indexOf(input) ?? -1);
    expect(call?.body).toMatchObject({ tools: [], text: { format: { schema } } });
    expect(call?.bytes).toBeLessThanOrEqual(4096);
  });

  test('a limit longer than a timer of Node is a limit all the same, not none', async () => {
    const result = await worker.run(request('ok', { timeoutMs: 10 ** 10, idleTimeoutMs: 10 ** 10 }));
    expect(result).toMatchObject({ answer: '{"ok":true}' });
  });

  test('passes model and effort on', async () => {
    await worker.run(request('ok', { model: 'some-model', effort: 'high' }));
    expect(model.calls[0]?.body).toMatchObject({ model: 'some-model', reasoning: { effort: 'high' } });
  });

  test('hands over what was said even when it is no JSON', async () => {
    const result = await worker.run(request('prose'));
    expect(result).toMatchObject({
      answer: 'No JSON at all {',
      usage: { input_tokens: 7, output_tokens: 3 },
    });
  });

  test.each<[string, FailureClass]>([
    ['throttled', 'throttled'],
    ['server', 'server'],
    ['auth', 'auth'],
    ['overflow', 'overflow'],
    ['schema', 'config'],
    ['model', 'config'],
    ['quota', 'quota'],
    ['cut', 'network'],
  ])('a model that says %s fails as %s after one request', async (mode, failureClass) => {
    const result = await worker.run(request(mode));
    expect(result.failure?.class, result.failure?.message).toBe(failureClass);
    expect(result.answer).toBeUndefined();
    expect(model.calls).toHaveLength(1);
  });

  test('a used-up plan says when it is there again', async () => {
    const result = await worker.run(request('limit'));
    expect(result.failure?.class).toBe('quota');
    const inMinutes = (Date.parse(result.failure?.resets_at ?? '') - Date.now()) / 60_000;
    expect(inMinutes).toBeGreaterThan(57);
    expect(inMinutes).toBeLessThan(62);
  });

  test('a silent model ends at the idle limit', async () => {
    const result = await worker.run(request('hang', { idleTimeoutMs: 800 }));
    expect(result.failure).toMatchObject({ class: 'timeout', message: expect.stringContaining('800 ms') });
  });

  test('a model that takes too long ends at the wall limit', async () => {
    const result = await worker.run(request('hang', { timeoutMs: 900 }));
    expect(result.failure).toMatchObject({ class: 'timeout', message: expect.stringContaining('900 ms') });
  });

  test('an abort ends one job, its request included, and no other', async () => {
    const abort = new AbortController();
    const aborted = worker.run(
      request('hang', { signal: abort.signal, marks: { RLM_WORKER_OF: `${mark}/1` } }),
    );
    const other = worker.run(request('slow'));
    await until(() => (model.calls.length === 2 ? true : undefined));
    abort.abort();
    expect((await aborted).failure?.class).toBe('cancelled');
    expect(processesMarked(`${mark}/1`)).toEqual([]);
    expect((await other).answer).toBe('{"ok":true}');
    await until(() => (model.open === 0 ? true : undefined));
  });

  test('many at a time keep their answers apart', async () => {
    const modes = Array.from({ length: 8 }, (_, at) => (at % 2 === 0 ? 'slow' : 'prose'));
    const results = await Promise.all(modes.map((mode) => worker.run(request(mode))));
    expect(results.map((result) => result.answer)).toEqual(
      modes.map((mode) => (mode === 'slow' ? '{"ok":true}' : 'No JSON at all {')),
    );
  });

  test('logs the call as events of one shape', async () => {
    const asked = request('ok');
    await worker.run(asked);
    const events = readFileSync(asked.logPath, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({ type: 'thread.started' });
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'item.completed',
        item: expect.objectContaining({ type: 'agent_message', text: '{"ok":true}' }),
      }),
    );
    expect(events.at(-1)).toMatchObject({ type: 'turn.completed', usage: { reasoning_output_tokens: 5 } });
    expect(existsSync(`${asked.promptPath}.stdin`)).toBe(false);
  });

  test('a refused connection is a network failure, and soon', async () => {
    const elsewhere = temporaryDirectory();
    const unreachable = await createCodexWorker({
      root: elsewhere,
      lane,
      env: isolatedCodex(elsewhere, 'http://127.0.0.1:9').env,
    });
    const result = await unreachable.run(request('ok'));
    await unreachable.close();
    expect(result.failure?.class).toBe('network');
  });

  test('close leaves no process', async () => {
    const closing = await createCodexWorker({
      root: directory,
      lane,
      env: codex.env,
      marks: { RLM_WORKER_OF: `${mark}/2` },
    });
    const running = closing.run(request('hang', { marks: { RLM_WORKER_OF: `${mark}/2` } }));
    await until(() => (model.calls.length === 1 ? true : undefined));
    expect(processesMarked(`${mark}/2`)).not.toEqual([]);
    await closing.close();
    expect((await running).failure).toBeDefined();
    expect(processesMarked(`${mark}/2`)).toEqual([]);
  });

  test("the user's own home is used as it is", async () => {
    const given = join(directory, `given-${lane}`);
    mkdirSync(given);
    const configuration = `${readFileSync(join(codex.codexHome, 'config.toml'), 'utf8')}\n# mine\n`;
    writeFileSync(join(given, 'config.toml'), configuration);
    const own = await createCodexWorker({ root: directory, lane, codex_home: given, env: codex.env });
    const result = await own.run(request('ok'));
    await own.close();
    expect(result.answer).toBe('{"ok":true}');
    expect(model.calls[0]?.body.tools).toEqual([]);
    expect(readFileSync(join(given, 'config.toml'), 'utf8')).toBe(configuration);
    expect(readdirSync(given).filter((name) => /\.(toml|json|md|rules)$/.test(name))).toEqual([
      'config.toml',
    ]);
  });
});

test.each([
  ['read-only', false],
  ['workspace-write', true],
] as const)(
  'a request with tools in a %s sandbox has a shell that sees no login and writes only what is its own',
  async (mode, writes) => {
    const elsewhere = temporaryDirectory();
    const owned = join(elsewhere, 'owned');
    mkdirSync(owned);
    const codexThere = isolatedCodex(elsewhere, '', { login: true });
    const command = [
      'echo key=$OPENAI_API_KEY depth=$RLM_DEPTH',
      `cat ${codexThere.codexHome}/auth.json`,
      `touch ${owned}/in ${elsewhere}/out $HOME/out /tmp/rlm-test-out`,
      `head -c 200000 /dev/zero > $TMPDIR/scratch && echo scratch=yes`,
    ].join('; ');
    const server = await startModelServer({
      keyOf: (prompt) => modeOf(prompt),
      reply: ({ body, prompt }) =>
        JSON.stringify(body.input).includes('function_call_output')
          ? { kind: 'answer', text: prompt, usage: { input: 30, output: 2 } }
          : {
              kind: 'tool',
              name: 'exec_command',
              arguments: { cmd: command },
              usage: { input: 10, output: 1 },
            },
    });
    writeFileSync(join(codexThere.codexHome, 'config.toml'), fakeProvider(server.url));
    const env = { ...codexThere.env, OPENAI_API_KEY: 'sk-visible' };
    const worker = await createCodexWorker({ root: elsewhere, lane: 'auto', env });
    expect(worker.lane).toBe('app-server');
    const sandbox = mode === 'read-only' ? ({ mode } as const) : { mode, writable: [owned] };
    const result = await worker.run(request('ok', { tools: true, cwd: elsewhere, sandbox }));
    await worker.close();
    await server.close();
    expect(result.failure).toBeUndefined();
    expect(result.usage).toMatchObject({ input_tokens: 40, output_tokens: 3 });
    expect(result.answer).toContain('key= depth=1');
    expect(result.answer).not.toContain('sk-visible');
    expect(result.answer).not.toContain(SECRET_LOGIN);
    expect(existsSync(join(owned, 'in'))).toBe(writes);
    expect(result.answer?.includes('\nscratch=yes')).toBe(writes);
    for (const path of [join(elsewhere, 'out'), join(codexThere.home, 'out'), '/tmp/rlm-test-out']) {
      expect(existsSync(path), path).toBe(false);
    }
  },
);
