import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCodexWorker, inspectCodex } from '../../src/workers/codex/index.ts';
import { fakeProvider, isolatedCodex, SECRET_LOGIN } from '../support/codex-home.ts';
import { type ModelServer, startModelServer } from '../support/model-server.ts';
import { modeScript } from './codex-script.ts';
import { temporaryDirectory, workRequest } from './request.ts';

let model: ModelServer;
beforeAll(async () => {
  model = await startModelServer(modeScript);
});
afterAll(() => model.close());

function generatedHomes(root: string): string[] {
  const homes = join(root, '.rlm', 'workers', 'codex-home');
  return readdirSync(homes).map((name) => join(homes, name));
}

test('carries the provider over, and nothing else of the user', async () => {
  const root = temporaryDirectory();
  const { env } = isolatedCodex(root, model.url, {
    configuration:
      'model = "users-own"\nnotify = ["rm", "-rf"]\n[mcp_servers.mine]\ncommand = "/bin/false"\n',
  });
  const worker = await createCodexWorker({ root, lane: 'exec', env });
  await worker.close();
  const [home = ''] = generatedHomes(root);
  expect(statSync(home).mode & 0o777).toBe(0o700);
  expect(statSync(join(home, 'config.toml')).mode & 0o777).toBe(0o600);
  expect(parse(readFileSync(join(home, 'config.toml'), 'utf8'))).toEqual({
    model: 'gpt-5.3-codex-spark',
    model_reasoning_effort: 'minimal',
    model_reasoning_summary: 'none',
    model_verbosity: 'low',
    web_search: 'disabled',
    tool_output_token_limit: 1500,
    project_doc_max_bytes: 0,
    project_root_markers: [],
    hide_agent_reasoning: true,
    history: { persistence: 'none' },
    model_provider: 'fake',
    model_providers: parse(fakeProvider(model.url)).model_providers,
  });
});

test.each(['exec', 'app-server'] as const)(
  '%s logs in with the linked login file, which stays where it is',
  async (lane) => {
    const root = temporaryDirectory();
    const { env, codexHome } = isolatedCodex(root, model.url, { login: true });
    model.calls.length = 0;
    const worker = await createCodexWorker({ root, lane, env });
    const request = workRequest(root, { input: 'MODE=ok' });
    const result = await worker.run(request);
    await worker.close();
    expect(result.failure).toBeUndefined();
    expect(model.calls[0]?.authorization).toBe(`Bearer ${SECRET_LOGIN}`);
    const [home = ''] = generatedHomes(root);
    expect(lstatSync(join(home, 'auth.json')).isSymbolicLink()).toBe(true);
    expect(readlinkSync(join(home, 'auth.json'))).toBe(join(codexHome, 'auth.json'));
    expect(filesHolding(join(root, '.rlm'), SECRET_LOGIN)).toEqual([]);
    expect(filesHolding(join(root, 'logs'), SECRET_LOGIN)).toEqual([]);
  },
);

test("a provider's key variable reaches the worker, other variables do not", async () => {
  const root = temporaryDirectory();
  const { env, codexHome } = isolatedCodex(root, model.url);
  writeFileSync(
    join(codexHome, 'config.toml'),
    fakeProvider(model.url).replace('name = "fake"', 'name = "fake"\nenv_key = "MY_PROVIDER_KEY"'),
  );
  model.calls.length = 0;
  const worker = await createCodexWorker({ root, lane: 'exec', env: { ...env, MY_PROVIDER_KEY: 'k-1' } });
  const result = await worker.run(workRequest(root, { input: 'MODE=ok' }));
  expect(result.failure).toBeUndefined();
  expect(model.calls[0]?.authorization).toBe('Bearer k-1');
  const without = await createCodexWorker({ root, lane: 'exec', env });
  expect((await without.run(workRequest(root, { input: 'MODE=ok' }))).failure?.class).toBe('auth');
});

test('many at once make one home', async () => {
  const root = temporaryDirectory();
  const { env } = isolatedCodex(root, model.url, { login: true });
  const workers = await Promise.all(
    Array.from({ length: 8 }, () => createCodexWorker({ root, lane: 'exec', env })),
  );
  expect(generatedHomes(root)).toHaveLength(1);
  expect(new Set(workers.map((worker) => worker.cacheIdentity)).size).toBe(1);
});

test('a profile is read from its file; one that is not there is refused, not ignored', async () => {
  const root = temporaryDirectory();
  const { env, codexHome } = isolatedCodex(root, model.url);
  const options = { root, lane: 'auto', env, profile: 'quick' } as const;
  await expect(createCodexWorker(options)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining(join(codexHome, 'quick.config.toml')),
  });
  writeFileSync(join(codexHome, 'quick.config.toml'), 'model = "of-the-profile"\n');
  model.calls.length = 0;
  const worker = await createCodexWorker(options);
  expect(worker.lane).toBe('exec');
  await worker.run(workRequest(root, { input: 'MODE=ok', model: null }));
  expect(model.calls[0]?.body.model).toBe('of-the-profile');
  await expect(createCodexWorker({ ...options, profile: '../quick' })).rejects.toMatchObject({
    code: 'usage',
  });
});

test('a configuration that is no TOML is named, its content is not', async () => {
  const root = temporaryDirectory();
  const { env, codexHome } = isolatedCodex(root, model.url);
  writeFileSync(join(codexHome, 'config.toml'), `token = "${SECRET_LOGIN}\n`);
  const failure = await createCodexWorker({ root, lane: 'exec', env }).catch((error: unknown) =>
    String(error),
  );
  expect(failure).toContain(join(codexHome, 'config.toml'));
  expect(failure).not.toContain(SECRET_LOGIN);
});

test('a home that was given is created when missing', async () => {
  const root = temporaryDirectory();
  const { env } = isolatedCodex(root, model.url);
  const codexHome = join(root, 'to', 'be', 'made');
  await createCodexWorker({ root, lane: 'exec', env, codex_home: codexHome });
  expect(readdirSync(codexHome)).toEqual([]);
  expect(existsSync(join(root, '.rlm', 'workers'))).toBe(false);
});

test('no Codex, or something else in its place, is said so', async () => {
  const root = temporaryDirectory();
  mkdirSync(join(root, 'empty'));
  const env = { HOME: root, PATH: join(root, 'empty') };
  await expect(createCodexWorker({ root, lane: 'auto', env })).rejects.toMatchObject({
    code: 'unavailable',
    message: 'no codex on PATH',
  });
  await expect(
    createCodexWorker({ root, lane: 'auto', env: { ...env, RLM_CODEX: '/bin/echo' } }),
  ).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('--version says') });
});

test.each([
  ['not needed', '', {}],
  ['provider variable', 'env_key = "K"', { K: 'k-1' }],
  ['none', 'env_key = "K"', {}],
])('an inspection says that the login is %s (%s)', async (login, key, variables) => {
  const root = temporaryDirectory();
  const { env, codexHome } = isolatedCodex(root, model.url);
  const configuration = fakeProvider(model.url).replace('name = "fake"', `name = "fake"\n${key}`);
  writeFileSync(join(codexHome, 'config.toml'), configuration);
  const inspection = await inspectCodex({ root, lane: 'auto', env: { ...env, ...variables } });
  expect(inspection).toMatchObject({
    login: { kind: login },
    lane: 'app-server',
    home: generatedHomes(root)[0],
  });
  // npm's wrapper was passed by.
  expect(inspection.file).toMatch(/codex-[a-z0-9-]+\/vendor\/.*\/codex$/);
});

test('an inspection tells a login file, a key and the lack of both, and which lane that means', async () => {
  const root = temporaryDirectory();
  const { env, codexHome } = isolatedCodex(root, model.url);
  writeFileSync(join(codexHome, 'config.toml'), '');
  const inspect = (variables: Record<string, string>, lane: 'auto' | 'app-server' = 'auto') =>
    inspectCodex({ root, lane, env: { ...env, ...variables } });
  expect(await inspect({})).toMatchObject({ login: { kind: 'none' } });
  expect(await inspect({ OPENAI_API_KEY: 'k-1' })).toMatchObject({ login: { kind: 'none' } });
  expect(await inspect({ CODEX_API_KEY: 'k-1' })).toMatchObject({
    login: { kind: 'variable' },
    lane: 'exec',
  });
  await expect(inspect({ CODEX_API_KEY: 'k-1' }, 'app-server')).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('CODEX_API_KEY'),
  });
  writeFileSync(join(codexHome, 'auth.json'), '{}');
  expect(await inspect({})).toMatchObject({ login: { kind: 'file' }, lane: 'app-server' });
});

test.each([
  ['CODEX_API_KEY', 'Bearer k-1'],
  ['OPENAI_API_KEY', undefined],
])(
  'with %s in the environment the lane chosen sends %s, as the inspection implies',
  async (name, authorization) => {
    const root = temporaryDirectory();
    const { env, codexHome } = isolatedCodex(root, model.url);
    writeFileSync(join(codexHome, 'config.toml'), fakeProvider(model.url, { login: true }));
    model.calls.length = 0;
    const worker = await createCodexWorker({ root, lane: 'auto', env: { ...env, [name]: 'k-1' } });
    await worker.run(workRequest(root, { input: 'MODE=ok' }));
    await worker.close();
    expect(model.calls[0]?.authorization).toBe(authorization);
  },
);

function filesHolding(directory: string, text: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text));
}
