import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/index.ts';
import { createCodexWorker, findCodex } from '../../src/workers/codex/index.ts';
import { createWorker } from '../../src/workers/index.ts';
import { fakeProvider, isolatedCodex } from '../support/codex-home.ts';
import { type ModelServer, startModelServer } from '../support/model-server.ts';
import { modeScript } from './codex-script.ts';
import { temporaryDirectory, workRequest } from './request.ts';

let model: ModelServer;
beforeAll(async () => {
  model = await startModelServer(modeScript);
});
afterAll(() => model.close());

/** A home with all that a user may have set up; each program in it leaves a trace when it is started. */
function userHome(extra = '') {
  const root = temporaryDirectory();
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const { env, codexHome } = isolatedCodex(root, model.url);
  const trace = (name: string) => join(root, `${name}.started`);
  const program = (name: string) => {
    const path = join(root, name);
    writeFileSync(path, `#!/bin/sh\n: > ${trace(name)}\nexec cat\n`, { mode: 0o755 });
    return path;
  };
  const project = join(root, 'project');
  mkdirSync(join(project, '.codex'), { recursive: true });
  execFileSync('git', ['init', '--quiet', project]);
  writeFileSync(
    join(project, '.codex', 'config.toml'),
    `[mcp_servers.of_project]\ncommand = "${program('of_project')}"\n`,
  );
  writeFileSync(
    join(codexHome, 'config.toml'),
    `notify = ["${program('notify')}"]
developer_instructions = "SPEAK-LIKE-A-PIRATE"
${extra}
${fakeProvider(model.url)}
[mcp_servers.of-user]
command = "${program('of-user')}"
[projects."${project}"]
trust_level = "trusted"
`,
  );
  writeFileSync(join(project, 'AGENTS.md'), 'SPEAK-LIKE-A-PIRATE');
  writeFileSync(
    join(codexHome, 'quick.config.toml'),
    `[mcp_servers.of_profile]\ncommand = "${program('of_profile')}"\n`,
  );
  return { root, env, codexHome, project, started: (name: string) => existsSync(trace(name)) };
}

describe.each([
  ['exec', undefined],
  ['app-server', undefined],
  ['exec', 'quick'],
] as const)('a chunk worker through %s in a home of the user (profile %s)', (lane, profile) => {
  test('starts no server and no program of it, and its request holds nothing of it', async () => {
    const home = userHome();
    model.calls.length = 0;
    const worker = await createCodexWorker({
      root: home.root,
      lane,
      profile,
      env: home.env,
      codex_home: home.codexHome,
      worker_cwd: home.project,
    });
    const request = workRequest(home.root, { input: 'MODE=ok', cwd: home.project });
    expect(await worker.run(request)).toMatchObject({ answer: '{"ok":true}' });
    await worker.close();
    const sent = JSON.stringify(model.calls[0]?.body);
    expect(sent).not.toContain('SPEAK-LIKE-A-PIRATE');
    expect(model.calls[0]?.body.tools ?? []).toEqual([]);
    expect(existsSync(join(home.codexHome, 'history.jsonl'))).toBe(false);
    for (const name of ['of-user', 'of_project', 'of_profile', 'notify']) {
      expect(home.started(name), name).toBe(false);
    }
  });
});

test('a server whose name cannot be written as a setting is refused, and named', async () => {
  const home = userHome();
  writeFileSync(
    join(home.codexHome, 'config.toml'),
    `${fakeProvider(model.url)}\n[mcp_servers."do.tted"]\ncommand = "/bin/false"\n`,
  );
  await expect(
    createCodexWorker({ root: home.root, lane: 'exec', env: home.env, codex_home: home.codexHome }),
  ).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining("'do.tted'") });
});

test('instructions in the home, which Codex always reads, are said', async () => {
  const home = userHome();
  writeFileSync(join(home.codexHome, 'AGENTS.md'), 'Be brief.\n');
  const { worker, why } = await createWorker(
    { worker: 'codex', lane: 'exec', codex_home: home.codexHome },
    { root: home.root, config: loadConfig(home.root).values, marks: {}, env: home.env },
  );
  await worker.close();
  expect(why).toContain('AGENTS.md goes with every request');
});

test('OPENAI_API_KEY stays out of the environment of Codex, which logs in without it', async () => {
  const home = userHome();
  const program = join(home.root, 'codex');
  const seen = join(home.root, 'environment');
  writeFileSync(program, `#!/bin/sh\nenv > ${seen}\nexec ${findCodex(undefined, process.env).file} "$@"\n`, {
    mode: 0o755,
  });
  const env = { ...home.env, RLM_CODEX: program, OPENAI_API_KEY: 'sk-secret' };
  const worker = await createCodexWorker({ root: home.root, lane: 'exec', env });
  expect(await worker.run(workRequest(home.root, { input: 'MODE=ok' }))).toMatchObject({
    answer: '{"ok":true}',
  });
  await worker.close();
  expect(readFileSync(seen, 'utf8')).toContain('CODEX_HOME=');
  expect(readFileSync(seen, 'utf8')).not.toContain('sk-secret');
});
