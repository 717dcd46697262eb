import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createClaudeWorker } from '../../src/workers/claude/index.ts';
import { createCodexWorker, findCodex } from '../../src/workers/codex/index.ts';
import { isolatedCodex } from '../support/codex-home.ts';
import { type ModelServer, startModelServer } from '../support/model-server.ts';
import { modeScript } from './codex-script.ts';
import { temporaryDirectory, workRequest } from './request.ts';

/*
 * What a lean profile switches off by name. With some versions of the programs another setting has the same effect,
 * so that nothing is seen of one that is missing: the arguments themselves are looked at.
 */

let model: ModelServer;
beforeAll(async () => {
  model = await startModelServer(modeScript);
});
afterAll(() => model.close());

/** A program in front of another one, which writes down the arguments of the call that matters. */
function recorder(root: string, real: string, marker: string) {
  const [program, calls] = [join(root, 'program.sh'), join(root, 'calls.txt')];
  const script = `#!/bin/sh\ncase " $* " in *" ${marker} "*) printf '%s\\n' "$@" > ${calls};; esac\nexec "${real}" "$@"\n`;
  writeFileSync(program, script, { mode: 0o755 });
  return { program, args: () => (existsSync(calls) ? readFileSync(calls, 'utf8').split('\n') : []) };
}

test('Codex runs no hook of the user, reads no file of the project and keeps no history', async () => {
  const root = temporaryDirectory();
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const { env } = isolatedCodex(root, model.url);
  const { program, args } = recorder(root, findCodex(undefined, env).file, 'exec');
  const worker = await createCodexWorker({ root, lane: 'exec', env: { ...env, RLM_CODEX: program } });
  await worker.run(workRequest(root, { input: 'MODE=ok' }));
  await worker.close();
  expect(args()).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^project_doc_max_bytes=0$/),
      expect.stringMatching(/^history\.persistence="none"$/),
    ]),
  );
  expect(args().join(' ')).toMatch(/--disable hooks|features\.hooks=false/);
});

test('Claude takes servers and settings from nobody', async () => {
  const root = temporaryDirectory();
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const config = join(root, 'config');
  mkdirSync(config);
  const login = { accessToken: 'dummy', refreshToken: 'dummy', scopes: ['user:inference'] };
  const claudeAiOauth = { ...login, expiresAt: Date.now() + 3_600_000 };
  writeFileSync(join(config, '.credentials.json'), JSON.stringify({ claudeAiOauth }));
  const env = {
    PATH: process.env.PATH,
    HOME: root,
    ANTHROPIC_BASE_URL: model.url,
    CLAUDE_CONFIG_DIR: config,
  };
  const { program, args } = recorder(root, resolve('node_modules/.bin/claude'), '-p');
  const worker = await createClaudeWorker({ root, binary: program, env });
  await worker.run(workRequest(root, { input: 'MODE=ok', model: 'haiku' }));
  await worker.close();
  expect(args()).toContain('--strict-mcp-config');
  expect(args()[args().indexOf('--setting-sources') + 1]).toBe('');
});
