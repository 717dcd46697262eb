import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ProcessIdentity, processStart } from '../../src/files/index.ts';
import { canConfineShell, createClaudeWorker, findLogin } from '../../src/workers/claude/index.ts';
import type { Worker, WorkRequest } from '../../src/workers/worker.ts';
import { type ModelServer, startModelServer } from '../support/model-server.ts';
import type { ScriptedCall, ScriptedReply } from '../support/script.ts';
import { temporaryDirectory, until, workRequest } from './request.ts';

const BINARY = resolve('node_modules/.bin/claude');
const CONFINABLE = await canConfineShell(
  { version: '', flags: ['--settings', '--append-system-prompt'] },
  process.env,
);
const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['colour'],
  properties: { colour: { type: 'string', maxLength: 5 } },
};
const USAGE = { input: 100, cached: 40, output: 7 };

let directory: string;
let server: ModelServer;
let reply: (call: ScriptedCall) => ScriptedReply;

beforeAll(async () => {
  server = await startModelServer({ keyOf: () => 'one', reply: (call) => reply(call) });
});
afterAll(() => server.close());
beforeEach(() => {
  directory = temporaryDirectory();
  server.calls.length = 0;
});
afterEach(() => {
  expect(server.strays).toEqual([]);
  rmSync(directory, { recursive: true, force: true });
});

/** The environment of somebody with an API key, whose model is the scripted one. */
function environment(changes: Record<string, string> = {}): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: join(directory, 'home'),
    ANTHROPIC_BASE_URL: server.url,
    ANTHROPIC_API_KEY: 'dummy',
    SECRET_OF_OURS: 'secret',
    ...changes,
  };
}

function claude(env = environment()): Promise<Worker> {
  return createClaudeWorker({ root: directory, binary: BINARY, env });
}

function request(changes: Partial<WorkRequest> = {}): WorkRequest {
  const schema = { path: join(directory, 'schema.json'), value: SCHEMA };
  return workRequest(directory, { model: 'haiku', schema, ...changes });
}

async function ask(scripted: ScriptedReply, changes: Partial<WorkRequest> = {}, env = environment()) {
  reply = () => scripted;
  const worker = await claude(env);
  return worker.run(request(changes));
}

const failing = (status: number, type: string, message: string, headers = {}): ScriptedReply => ({
  kind: 'status',
  status,
  headers,
  body: { type: 'error', error: { type, message } },
});

describe('answers', () => {
  test('a structured answer with its exact usage, in one lean request', async () => {
    const asked = request({ instructions: 'Say the colour.', input: 'The sky is blue.' });
    reply = () => ({ kind: 'answer', text: '{"colour":"blue, mostly"}', usage: USAGE });
    const worker = await claude();
    const result = await worker.run(asked);
    expect(result.failure).toBeUndefined();
    expect(JSON.parse(result.answer ?? '')).toEqual({ colour: 'blue, mostly' });
    expect(result.usage).toEqual({
      input_tokens: 100,
      cached_input_tokens: 40,
      output_tokens: 7,
      reasoning_output_tokens: 0,
    });
    expect(result.costUsd).toBeGreaterThan(0);
    expect(result.model).toContain('haiku');
    expect(server.calls).toHaveLength(1);
    const [call] = server.calls;
    expect(call?.prompt).toContain('Say the colour.');
    expect(call?.prompt.match(/The sky is blue\./g)).toHaveLength(1);
    expect(call?.bytes).toBeLessThan(2_000);
    expect(call?.body.tools).toMatchObject([{ name: 'StructuredOutput' }]);
    // No session is left behind, nothing is written to the user's home, and the input's copy is gone.
    expect(existsSync(join(directory, '.rlm/workers/claude-home/projects'))).toBe(false);
    expect(existsSync(join(directory, 'home'))).toBe(false);
    expect(readdirSync(join(directory, 'prompts'))).toEqual(['j-1.attempt1.txt']);
    expect(readdirSync(join(directory, 'logs'))).toEqual(['j-1.attempt1.jsonl']);
  });

  test('the effort that was asked for reaches the model', async () => {
    reply = () => ({ kind: 'answer', text: 'Plain words.', usage: USAGE });
    const worker = await claude();
    for (const effort of ['minimal', 'high'])
      await worker.run(workRequest(directory, { model: 'opus', effort }));
    expect(server.calls.map(({ body }) => body.output_config)).toEqual([
      { effort: 'low' },
      { effort: 'high' },
    ]);
  });

  test('without a schema the text is the answer', async () => {
    const asked = workRequest(directory, { model: 'haiku' });
    reply = () => ({ kind: 'answer', text: 'Plain words.', usage: USAGE });
    expect(await (await claude()).run(asked)).toMatchObject({ answer: 'Plain words.' });
  });

  test.each([
    ['words', 'just words'],
    ['another shape', '{"shade":"blue"}'],
    ['a code fence around it', '```json\n{"colour":"blue"}\n```'],
  ])(
    'an answer that Claude Code finds fault with is handed on as it is, after one request: %s',
    async (_, text) => {
      const result = await ask({ kind: 'answer', text, usage: USAGE });
      expect(result.failure).toBeUndefined();
      expect(result.answer).toBe(text);
      expect(server.calls).toHaveLength(1);
      expect(result.usage).toMatchObject({ input_tokens: 100, cached_input_tokens: 40, output_tokens: 7 });
    },
  );

  test('a stray tool call without an answer is invalid, and says so', async () => {
    const result = await ask({ kind: 'tool', name: 'Nope', arguments: {} });
    expect(result.answer).toBeUndefined();
    expect(result.failure).toMatchObject({
      class: 'invalid_output',
      message: expect.stringContaining('structured'),
    });
  });

  test('a prompt with quotes, backticks and 300 kB arrives as it is', async () => {
    const input = `\`$(touch hacked)\` "$HOME" '\u00e9\u{1f600}' ${'word '.repeat(60_000)}end`;
    await ask({ kind: 'answer', text: '{"colour":"red"}' }, { input, instructions: '"; exit 1; `x`' });
    expect(server.calls[0]?.prompt).toContain(input);
    expect(server.calls[0]?.prompt).toContain('"; exit 1; `x`');
    expect(existsSync(join(directory, 'hacked'))).toBe(false);
  });
});

describe('failures have a class, after a single request', () => {
  test.each<[string, ScriptedReply]>([
    ['throttled', failing(429, 'rate_limit_error', 'Too many', { 'retry-after': '1' })],
    ['server', failing(500, 'api_error', 'Internal server error')],
    ['server', failing(529, 'overloaded_error', 'Overloaded')],
    ['throttled', failing(429, 'rate_limit_error', 'Rate limit reached. Try again in 2s.')],
    // Once a stream has begun, an error comes without a status.
    ['server', { kind: 'failed', type: 'overloaded_error', message: 'Overloaded' }],
    ['throttled', { kind: 'failed', type: 'rate_limit_error', message: 'Too many requests' }],
    ['auth', failing(401, 'authentication_error', 'invalid x-api-key')],
    ['auth', failing(403, 'forbidden', 'Request not allowed')],
    ['overflow', failing(400, 'invalid_request_error', 'prompt is too long: 250000 tokens > 200000 maximum')],
    ['config', failing(404, 'not_found_error', 'model: haiku')],
    ['quota', failing(400, 'invalid_request_error', 'Your credit balance is too low to access the API.')],
    ['network', { kind: 'cut' }],
  ])('%s', async (expected, scripted) => {
    const result = await ask(scripted);
    expect(result.failure).toMatchObject({ class: expected });
    expect(result.answer).toBeUndefined();
    // (Claude itself asks twice about a model that is not there; no variable of it stops that.)
    expect(server.calls).toHaveLength(expected === 'config' ? 2 : 1);
  });

  test('an allowance that is used up says when it is there again', async () => {
    const reset = Math.floor(Date.now() / 1000) + 7200;
    const headers = {
      'anthropic-ratelimit-unified-status': 'rejected',
      'anthropic-ratelimit-unified-reset': String(reset),
      'anthropic-ratelimit-unified-representative-claim': 'five_hour',
    };
    const env = environment({ ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-dummy' });
    const result = await ask(failing(429, 'rate_limit_error', 'limit', headers), {}, env);
    expect(result.failure).toMatchObject({
      class: 'quota',
      resets_at: new Date(reset * 1000).toISOString(),
    });
    expect(server.calls).toHaveLength(1);
    // The form for account logins is lean too.
    expect(server.calls[0]?.bytes).toBeLessThan(4_000);
  });

  test('nobody is logged in', async () => {
    const result = await ask({ kind: 'hang' }, {}, environment({ ANTHROPIC_API_KEY: '' }));
    expect(result.failure?.class).toBe('auth');
    expect(server.calls).toHaveLength(0);
  });

  test('nobody listens', async () => {
    const result = await ask({ kind: 'hang' }, {}, environment({ ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' }));
    expect(result.failure?.class).toBe('network');
  });

  test('a schema longer than an argument may be', async () => {
    const value = { ...SCHEMA, description: 'x'.repeat(140_000) };
    const result = await ask({ kind: 'hang' }, { schema: { path: '/s.json', value } });
    expect(result.failure?.class).toBe('config');
    expect(result.failure?.message).toContain('--json-schema');
    expect(server.calls).toHaveLength(0);
  });
});

describe('ends', () => {
  test('a model that says nothing is ended at the idle limit, and nothing is left', async () => {
    let seen: ProcessIdentity | undefined;
    const result = await ask(
      { kind: 'hang' },
      {
        idleTimeoutMs: 3_000,
        onProcess: (process) => {
          seen = process;
        },
      },
    );
    expect(result.failure?.class).toBe('timeout');
    expect(processStart(seen?.pid ?? 0)).toBeUndefined();
  });

  test('abort leaves no process', async () => {
    const abort = new AbortController();
    let seen: ProcessIdentity | undefined;
    reply = () => ({ kind: 'hang' });
    const worker = await claude();
    const running = worker.run(
      request({
        signal: abort.signal,
        onProcess: (process) => {
          seen = process;
        },
      }),
    );
    await until(() => server.calls[0]);
    abort.abort();
    expect((await running).failure?.class).toBe('cancelled');
    expect(processStart(seen?.pid ?? 0)).toBeUndefined();
  });

  test('an interrupt from outside is exit 0 and still no answer', async () => {
    let seen: ProcessIdentity | undefined;
    reply = () => ({ kind: 'hang' });
    const worker = await claude();
    const running = worker.run(
      request({
        onProcess: (process) => {
          seen = process;
        },
      }),
    );
    await until(() => server.calls[0]);
    process.kill(seen?.pid ?? 0, 'SIGINT');
    const result = await running;
    expect(result.answer).toBeUndefined();
    // With a schema it says that it has no structured answer; either way another try is due.
    expect(['crashed', 'invalid_output']).toContain(result.failure?.class);
  });
});

test('with a login of the account nothing of the set-up of the user or the project is loaded', async () => {
  const trace = (name: string) => join(directory, `${name}.started`);
  const config = join(directory, 'config');
  mkdirSync(config);
  const hook = (name: string) => ({ hooks: [{ type: 'command', command: `touch ${trace(name)}` }] });
  const startTrace = (name: string) => ({
    command: '/bin/sh',
    args: ['-c', `touch ${trace(name)}; exec cat`],
  });
  writeFileSync(
    join(config, '.credentials.json'),
    JSON.stringify({
      claudeAiOauth: {
        accessToken: 'dummy',
        refreshToken: 'dummy',
        expiresAt: Date.now() + 3_600_000,
        scopes: ['user:inference'],
      },
    }),
  );
  writeFileSync(
    join(config, 'settings.json'),
    JSON.stringify({ hooks: { UserPromptSubmit: [hook('user-hook')] } }),
  );
  writeFileSync(
    join(config, '.claude.json'),
    JSON.stringify({ mcpServers: { mine: startTrace('user-server') } }),
  );
  writeFileSync(join(config, 'CLAUDE.md'), 'SPEAK-LIKE-A-PIRATE');
  const project = join(directory, 'project');
  mkdirSync(join(project, '.claude'), { recursive: true });
  writeFileSync(
    join(project, '.claude', 'settings.json'),
    JSON.stringify({ hooks: { UserPromptSubmit: [hook('project-hook')] } }),
  );
  writeFileSync(
    join(project, '.mcp.json'),
    JSON.stringify({ mcpServers: { ours: startTrace('project-server') } }),
  );
  writeFileSync(join(project, 'CLAUDE.md'), 'SPEAK-LIKE-A-PIRATE');
  reply = () => ({ kind: 'answer', text: '{"colour":"blue"}' });
  const { ANTHROPIC_API_KEY: _key, ...keyless } = environment({ CLAUDE_CONFIG_DIR: config });
  const worker = await claude(keyless);
  const result = await worker.run(request({ cwd: project }));
  expect(result).toMatchObject({ answer: '{"colour":"blue"}' });
  expect(server.calls[0]?.prompt).not.toContain('PIRATE');
  expect(JSON.stringify(server.calls[0]?.body.tools)).not.toContain('mcp__');
  for (const name of ['user-hook', 'user-server', 'project-hook', 'project-server']) {
    expect(existsSync(trace(name)), name).toBe(false);
  }
  expect(existsSync(join(config, 'history.jsonl'))).toBe(false);
});

describe('tools', () => {
  /** The model asks for one tool, then answers with what the tool said. */
  function usingTool(name: string, args: Record<string, unknown>) {
    reply = (call) =>
      JSON.stringify(call.body.messages).includes('tool_result')
        ? { kind: 'answer', text: 'done', usage: { input: 1, output: 1 } }
        : { kind: 'tool', name, arguments: args, usage: { input: 1, output: 1 } };
  }

  test('a reader reads; it has no tool that writes or runs', async () => {
    writeFileSync(join(directory, 'note.txt'), 'the word is xylophone');
    usingTool('Read', { file_path: join(directory, 'note.txt') });
    const result = await (await claude()).run(workRequest(directory, { model: 'haiku', tools: true }));
    expect(result.answer).toBe('done');
    expect(server.calls.at(-1)?.prompt).toContain('xylophone');
    const names = JSON.stringify(server.calls[0]?.body.tools);
    expect(names).not.toMatch(/"(?:Bash|Write|Edit)"/);
  });

  /** The model uses one tool after the other, and then is done. */
  function usingTools(steps: readonly [string, Record<string, unknown>][]) {
    reply = ({ body }) => {
      const done = JSON.stringify(body.messages).split('"type":"tool_result"').length - 1;
      const [name, args] = steps[done] ?? [];
      return name === undefined || args === undefined
        ? { kind: 'answer', text: 'done' }
        : { kind: 'tool', name, arguments: args };
    };
  }

  /** A task that owns a directory and a file that is not there yet, next to what it does not own. */
  function owner() {
    const at = (name: string) => join(directory, name);
    for (const name of ['owned', 'other', 'draft']) mkdirSync(at(name));
    writeFileSync(at('owned/code.ts'), 'one');
    writeFileSync(at('other/code.ts'), 'one');
    const sandbox = {
      mode: 'workspace-write' as const,
      writable: [at('owned'), at('new.txt'), at('draft')],
    };
    const edit = (file_path: string) =>
      ['Edit', { file_path, old_string: 'one', new_string: 'two' }] as const;
    return {
      at,
      request: workRequest(directory, { model: 'haiku', tools: true, sandbox, cwd: directory }),
      steps: [
        ['Read', { file_path: at('owned/code.ts') }],
        [...edit(at('owned/code.ts'))],
        ['Read', { file_path: at('other/code.ts') }],
        [...edit(at('other/code.ts'))],
        ['Write', { file_path: at('new.txt'), content: 'new' }],
        ['Write', { file_path: at('stray.txt'), content: 'stray' }],
      ] satisfies [string, Record<string, unknown>][],
      expectOwnedOnly() {
        expect(readFileSync(at('owned/code.ts'), 'utf8')).toBe('two');
        expect(readFileSync(at('other/code.ts'), 'utf8')).toBe('one');
        expect(readFileSync(at('new.txt'), 'utf8')).toBe('new');
        expect(existsSync(at('stray.txt'))).toBe(false);
      },
    };
  }

  test('a writer writes and edits what it owns and nothing else; it has no shell that nobody confines', async () => {
    const { request: work, steps, expectOwnedOnly } = owner();
    const unconfined = { command: 'touch stray.txt', description: 'd', dangerouslyDisableSandbox: true };
    usingTools([...steps, ['Bash', unconfined]]);
    // Neither bubblewrap nor socat is there; on macOS Claude Code needs neither.
    const worker = await claude(environment({ PATH: join(directory, 'owned') }));
    expect((await worker.run(work)).answer).toBe('done');
    expectOwnedOnly();
    const names = JSON.stringify(server.calls[0]?.body.tools);
    expect(names.includes('"Bash"')).toBe(process.platform === 'darwin');
    expect(names).toMatch(/"Edit".*"Write"|"Write".*"Edit"/);
  });

  test.skipIf(!CONFINABLE)(
    'a shell writes what its task owns and nothing else, and sees no login',
    async () => {
      const { at, request: work, steps, expectOwnedOnly } = owner();
      const files = 'owned/by-shell.txt draft/by-shell.txt other/code.ts stray.txt';
      const command = `cd ${directory}; for file in ${files}; do echo shell > $file; done; env > owned/env.txt`;
      const unconfined = { command: 'touch stray.txt', description: 'd', dangerouslyDisableSandbox: true };
      usingTools([...steps, ['Bash', { command, description: 'd' }], ['Bash', unconfined]]);
      expect((await (await claude()).run(work)).answer).toBe('done');
      expectOwnedOnly();
      expect(readFileSync(at('owned/by-shell.txt'), 'utf8')).toBe('shell\n');
      expect(readFileSync(at('draft/by-shell.txt'), 'utf8')).toBe('shell\n');
      const seen = readFileSync(at('owned/env.txt'), 'utf8');
      expect(seen).toContain('RLM_DEPTH=1');
      expect(seen).not.toMatch(/SECRET_OF_OURS|ANTHROPIC_API_KEY=./);
    },
  );
});

test('where a login is found', () => {
  expect(findLogin({ HOME: directory })).toBe('none');
  expect(findLogin({ HOME: directory, ANTHROPIC_API_KEY: 'k' })).toBe('key');
  expect(findLogin({ HOME: directory, CLAUDE_CODE_USE_BEDROCK: '1' })).toBe('key');
  expect(findLogin({ HOME: directory, CLAUDE_CODE_OAUTH_TOKEN: 't' })).toBe('token');
  mkdirSync(join(directory, '.claude'));
  writeFileSync(join(directory, '.claude', '.credentials.json'), '{}');
  expect(findLogin({ HOME: directory })).toBe('account');
});

test('no Claude Code, and one that is something else', async () => {
  await expect(
    createClaudeWorker({ root: directory, binary: '/no/claude', env: environment() }),
  ).rejects.toThrow(/no program at/);
  await expect(createClaudeWorker({ root: directory, env: { PATH: directory } })).rejects.toThrow(
    /no claude on PATH/,
  );
  await expect(
    createClaudeWorker({ root: directory, binary: '/bin/true', env: environment() }),
  ).rejects.toThrow(/--version says/);
});
