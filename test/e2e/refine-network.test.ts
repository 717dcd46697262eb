import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { claudeEnvironment } from '../support/clients.ts';
import { isolatedCodex } from '../support/codex-home.ts';
import { startModelServer } from '../support/model-server.ts';
import { Repository } from '../support/repository.ts';
import { rlm } from '../support/rlm.ts';
import { temporaryDirectory } from '../support/runs.ts';

test.each([
  ['has no network, and writes nothing outside', [], false],
  [
    'has a network and a further directory where the operator says so',
    ['--allow-network', '--add-dir'],
    true,
  ],
] as const)('the shell of real Codex %s', { timeout: 120_000 }, async (_, flags, open) => {
  const page = createServer((_request, response) => response.end('reached'));
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    page.close();
  });
  const { port } = page.address() as AddressInfo;
  const outside = temporaryDirectory();
  const repository = new Repository({ 'a.txt': 'x\n' });
  const cmd = `node -e "fetch('http://127.0.0.1:${port}').then((r) => r.text()).then((t) => require('fs').writeFileSync('page.txt', t), (e) => require('fs').writeFileSync('page.txt', 'no: ' + e.message))"; echo x > ${outside}/out.txt`;
  const model = await startModelServer({
    keyOf: () => 'turn',
    reply: ({ earlier }) =>
      earlier === 0
        ? { kind: 'tool', name: 'exec_command', arguments: { cmd } }
        : { kind: 'answer', text: 'Summary: tried the network' },
  });
  onTestFinished(() => model.close());
  const codex = isolatedCodex(join(repository.outside, 'user'), model.url);
  const more = flags.flatMap((flag) => (flag === '--add-dir' ? [flag, outside] : [flag]));
  const args = [
    'refine',
    'Look',
    '--run',
    'loop',
    '--worker',
    'codex',
    '--model',
    'gpt-5.1-codex-mini',
    '--validator',
    'none',
    '--max-iterations',
    '1',
  ];
  const exit = await rlm([...args, ...more], {
    cwd: repository.root,
    env: { HOME: codex.home, CODEX_HOME: codex.codexHome, PATH: codex.env.PATH ?? '' },
  });
  expect(exit.code, exit.stderr + exit.stdout).toBe(0);
  expect(readFileSync(join(repository.root, 'page.txt'), 'utf8')).toMatch(open ? /^reached$/ : /^no: /);
  expect(existsSync(join(outside, 'out.txt'))).toBe(open);
  expect(repository.iterations()[0]).toMatchObject({ network: open, files_changed: ['page.txt'] });
  const { params } = JSON.parse(readFileSync(join(repository.path(), 'run.json'), 'utf8'));
  expect(params).toMatchObject({ allow_network: open, add_dirs: open ? [outside] : [] });
});

/** Claude confines its shell on Linux with these; without them it has none. */
const canConfine = ['bwrap', 'socat'].every((program) =>
  (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, program))),
);

test.each([
  ['has no network', [], false],
  ['has a network where the operator says so', ['--allow-network'], true],
] as const)(
  'the shell of real Claude %s',
  { skip: !canConfine && !process.env.CI, timeout: 120_000 },
  async (_, flags, open) => {
    const page = createServer((_request, response) => response.end('reached'));
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      page.close();
    });
    const { port } = page.address() as AddressInfo;
    const repository = new Repository({ 'a.txt': 'x\n' });
    const command = `curl -s --noproxy "" http://127.0.0.1:${port}/ > page.txt || echo no >> page.txt`;
    const model = await startModelServer({
      keyOf: () => 'turn',
      reply: ({ body }) =>
        JSON.stringify(body.messages ?? '').includes('tool_result')
          ? { kind: 'answer', text: 'Summary: tried the network' }
          : { kind: 'tool', name: 'Bash', arguments: { command, description: 'try' } },
    });
    onTestFinished(() => model.close());
    const args = [
      'refine',
      'Look',
      '--run',
      'loop',
      '--worker',
      'claude',
      '--validator',
      'none',
      '--max-iterations',
      '1',
    ];
    const exit = await rlm([...args, ...flags], {
      cwd: repository.root,
      env: claudeEnvironment(repository.outside, model.url),
    });
    expect(exit.code, exit.stderr + exit.stdout).toBe(0);
    expect(readFileSync(join(repository.root, 'page.txt'), 'utf8')).toMatch(
      open ? /^reached$/ : /blocked|no/,
    );
  },
);
