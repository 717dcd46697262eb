import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/index.ts';
import { createWorker, type WorkerChoice } from '../../src/workers/select.ts';
import { temporaryDirectory } from './request.ts';

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
  mkdirSync(join(directory, 'bin'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Puts the real program on the PATH of the test. */
function install(name: 'codex' | 'claude'): void {
  symlinkSync(resolve('node_modules/.bin', name), join(directory, 'bin', name));
}

async function choose(choice: Partial<WorkerChoice>, env: Record<string, string> = {}) {
  const { worker, why } = await createWorker(
    { worker: 'auto', lane: 'exec', ...choice },
    {
      root: directory,
      config: loadConfig(directory).values,
      marks: {},
      env: { PATH: `${join(directory, 'bin')}:/usr/bin:/bin`, HOME: join(directory, 'home'), ...env },
    },
  );
  await worker.close();
  return { name: worker.name, lane: worker.lane, why };
}

test('auto takes Codex where it is installed and logged in', async () => {
  install('codex');
  install('claude');
  const keys = { CODEX_API_KEY: 'dummy', ANTHROPIC_API_KEY: 'dummy' };
  const chosen = await choose({}, keys);
  expect(chosen).toMatchObject({ name: 'codex', lane: 'exec' });
  expect(chosen.why).toContain('CODEX_API_KEY');
  expect(chosen.why).not.toContain('dummy');
});

test('a configured provider without a login is one; without its key it is none', async () => {
  install('codex');
  const home = join(directory, 'codex');
  mkdirSync(home);
  const config =
    'model_provider = "mine"\n[model_providers.mine]\nname = "mine"\nbase_url = "http://127.0.0.1:1/v1"\n';
  writeFileSync(join(home, 'config.toml'), config);
  expect(await choose({}, { CODEX_HOME: home })).toMatchObject({ name: 'codex' });
  writeFileSync(join(home, 'config.toml'), `${config}env_key = "MY_KEY"\n`);
  expect(await choose({}, { CODEX_HOME: home })).toMatchObject({ name: 'extractive' });
  expect(await choose({}, { CODEX_HOME: home, MY_KEY: 'k' })).toMatchObject({ name: 'codex' });
});

test('auto takes Claude where Codex is not logged in, and says so', async () => {
  install('codex');
  install('claude');
  const chosen = await choose({}, { ANTHROPIC_API_KEY: 'dummy' });
  expect(chosen.name).toBe('claude');
  expect(chosen.why).toContain('Codex is installed but not logged in');
});

test('auto reads by itself where there is neither, and says why', async () => {
  const chosen = await choose({});
  expect(chosen.name).toBe('extractive');
  expect(chosen.why).toContain('no codex on PATH');
  expect(chosen.why).toContain('no claude on PATH');
});

test('what is asked for is made or refused, never replaced', async () => {
  await expect(choose({ worker: 'claude' })).rejects.toThrow(/no claude on PATH/);
  await expect(choose({ worker: 'codex' })).rejects.toThrow(/no codex on PATH/);
  await expect(choose({ worker: 'command' })).rejects.toThrow(/needs a runner script or a command/);
  expect(await choose({ worker: 'command', command: ['true'] })).toMatchObject({
    name: 'command',
    lane: 'argv',
  });
  expect(await choose({ worker: 'extractive' })).toMatchObject({ name: 'extractive' });
});
