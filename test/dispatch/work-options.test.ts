import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/index.ts';
import type { WorkOptions } from '../../src/contracts/index.ts';
import { resolveWork } from '../../src/dispatch/index.ts';
import { place, temporaryDirectory } from '../support/runs.ts';

/** A caller in `elsewhere` of a root that has this configuration. */
function caller(settings: object, by: 'mcp' | 'cli' = 'cli', environment: NodeJS.ProcessEnv = {}) {
  const root = temporaryDirectory();
  const cwd = join(root, 'elsewhere');
  mkdirSync(cwd);
  place(join(root, '.rlm', 'config.json'), JSON.stringify(settings));
  const config = loadConfig(root);
  const allowedRoots = by === 'cli' ? null : [root];
  return {
    root,
    cwd,
    config,
    resolve: (options: WorkOptions = {}) =>
      resolveWork(options, { root, cwd, config: config.values, allowedRoots, environment }),
  };
}

test('an option of the caller beats the environment, that the configuration, and that the default', () => {
  const settings = {
    profile: 'of-file',
    effort: 'high',
    cache: false,
    budget: { max_tokens: 5, max_minutes: 7 },
  };
  const environment = { CODEX_SUBAGENT_PROFILE: 'of-environment', CODEX_SUBAGENT_MODEL: 'm-environment' };
  expect(caller({}).resolve()).toMatchObject({ worker: 'auto', lane: 'auto', cache: true, retries: 2 });
  expect(caller({}).resolve().profile).toBeUndefined();
  expect(caller(settings).resolve()).toMatchObject({ profile: 'of-file', cache: false, max_tokens: 5 });
  const { resolve } = caller(settings, 'cli', environment);
  expect(resolve()).toMatchObject({ profile: 'of-environment', model: 'm-environment' });
  expect(resolve({ profile: 'of-flag', model: 'm-flag', max_tokens: 9, cache: true })).toMatchObject({
    profile: 'of-flag',
    model: 'm-flag',
    cache: true,
    max_tokens: 9,
    max_minutes: 7,
  });
});

test('each setting is known by where it comes from', () => {
  const prices = { 'gpt-5.3-codex': { input: 1, output: 2 } };
  const settings = { profile: 'lean', commands: { answer: ['cat'] }, limits: { retries: 1 }, prices };
  const { root, config } = caller(settings);
  const file = join(root, '.rlm', 'config.json');
  for (const key of ['profile', 'commands.answer', 'limits.retries', 'prices.gpt-5.3-codex.input'])
    expect(config.origin(key)).toBe(file);
  for (const key of ['codex_home', 'skip_git_repo_check', 'limits.task_timeout_sec', 'toString'])
    expect(config.origin(key)).toBe('default');
});

test('a path in the configuration starts at the root, one of a flag where the caller stands', () => {
  const { root, cwd, resolve } = caller({ codex_home: 'home', worker_cwd: '.' });
  expect(resolve()).toMatchObject({ codex_home: join(root, 'home'), worker_cwd: root });
  expect(existsSync(join(root, 'home'))).toBe(true);
  expect(resolve({ codex_home: 'mine', worker_cwd: '.' })).toMatchObject({
    codex_home: join(cwd, 'mine'),
    worker_cwd: cwd,
  });
});

test('a program has a name in the configuration; only a person may give another', () => {
  const settings = { commands: { answer: ['./bin/answer', '{chunk_id}'] } };
  const client = caller(settings, 'mcp');
  expect(client.resolve({ command: ['answer'] })).toMatchObject({
    worker: 'command',
    command: [join(client.root, 'bin/answer'), '{chunk_id}'],
  });
  for (const command of [['sh'], ['sh', '-c', 'touch outside'], ['answer', '--more'], ['toString']]) {
    expect(() => client.resolve({ command })).toThrow(
      expect.objectContaining({ code: 'forbidden', field: 'command', hint: { text: 'Those are: answer.' } }),
    );
  }
  const person = caller(settings, 'cli');
  expect(person.resolve({ command: ['answer'] }).command?.[0]).toBe(join(person.root, 'bin/answer'));
  expect(person.resolve({ command: ['./own', '-x'] }).command).toEqual([join(person.cwd, 'own'), '-x']);
});

test('a configured runner script serves who asks for no other worker', () => {
  const { root, resolve } = caller({ runner_script: 'runner.sh' });
  place(join(root, 'runner.sh'), '#!/bin/sh\n');
  expect(resolve()).toMatchObject({ worker: 'command', runner_script: join(root, 'runner.sh') });
  const { worker, runner_script } = resolve({ worker: 'extractive' });
  expect([worker, runner_script]).toEqual(['extractive', undefined]);
});
