import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FIX, NODE_PROJECT, Repository, TRY } from '../support/repository.ts';
import { connectClient, textOf } from '../support/rlm.ts';

test('over MCP a loop is one call, its programs are names, and what may be chosen is listed', {
  timeout: 90_000,
}, async () => {
  const repository = new Repository({ ...NODE_PROJECT, 'go.mod': 'module x\n' }).act(FIX);
  repository.configure({ commands: { agent: [repository.agent] }, validators: { mine: ['node', '--test'] } });
  const client = await connectClient(repository.root, { HOME: repository.outside });
  const call = (args: Record<string, unknown>) =>
    client.callTool({
      name: 'rlm_refine',
      arguments: { goal: 'Fix the failing test', command: 'agent', ...args },
    });

  const several = await call({});
  expect(several.isError).toBe(true);
  expect(JSON.parse(textOf(several))).toMatchObject({
    code: 'usage',
    choices: {
      field: 'validator',
      options: [{ value: 'npm-test' }, { value: 'go-test' }, { value: 'none' }],
    },
  });
  for (const validator of ['sh -c true', '/bin/true', './check.sh']) {
    const refused = await call({ validator });
    expect(refused.isError, validator).toBe(true);
    expect(JSON.parse(textOf(refused)).message).toContain('no detected candidate');
  }
  for (const field of ['setup', 'on_tamper', 'allow_network', 'add_dir']) {
    expect((await call({ [field]: 'x' })).isError, field).toBe(true);
  }
  expect(repository.turns).toBe(0);

  const done = await call({ validator: 'mine', wait_sec: 45 });
  expect(done.structuredContent).toMatchObject({
    state: 'completed',
    ended: 'passed',
    refine: {
      validator: 'node --test',
      reason: 'configuration',
      iterations: 1,
      tests: { ran: 2, failed: 0 },
    },
  });
});

const hasScript = (() => {
  try {
    execFileSync('sh', ['-c', 'command -v script']);
    return true;
  } catch {
    return false;
  }
})();

test.skipIf(!hasScript && !process.env.CI)(
  'at a terminal a person chooses the validator, or types a command',
  { timeout: 90_000 },
  async () => {
    for (const [typed, command] of [
      ['1', 'npm test'],
      ['node --test', 'node --test'],
    ]) {
      const repository = new Repository({ ...NODE_PROJECT, 'go.mod': 'module x\n' }).act(FIX);
      const { BUNDLE } = await import('../support/rlm.ts');
      const line = [process.execPath, BUNDLE, ...repository.refineArgs()]
        .map((word) => `'${word}'`)
        .join(' ');
      const said = execFileSync('script', ['-qec', line, '/dev/null'], {
        cwd: repository.root,
        input: `${typed}\n`,
        encoding: 'utf8',
      });
      expect(said).toMatch(/What says that the goal is reached\?[\s\S]*1\) npm test[\s\S]*3\) none/);
      expect(repository.state()).toMatchObject({ ended: 'passed', validator: { command } });
    }
  },
);

test('the configuration says who takes which role of a triad, and may give everything else', {
  timeout: 90_000,
}, async () => {
  const repository = new Repository().act('echo plan', 'echo critic', TRY);
  writeFileSync(join(repository.root, 'check.sh'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  repository.configure({
    refine: {
      validator: './check.sh',
      roles: 'triad',
      max_iterations: 1,
      stop_after_same: 0,
      protect: ['src/**'],
    },
  });
  expect((await repository.refine()).code).toBe(3);
  expect(repository.state()).toMatchObject({ ended: 'max_iterations', validator: { command: './check.sh' } });
  const [only] = repository.iterations();
  expect(only?.turns.map(({ role }) => role)).toEqual(['planner', 'critic', 'reviser']);
  // Protected by the configuration: the turn's only change was undone.
  expect(only).toMatchObject({ files_changed: [], tampered: [{ path: 'src/math.js', restored: true }] });
});
