import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BROKEN, FIX, FIXED, NODE_PROJECT, Repository, TRY } from '../support/repository.ts';

/** All that git knows of a person's tree, besides new objects and branches. */
function treeOf(repository: Repository): string {
  return ['rev-parse HEAD', 'ls-files --stage', 'stash list', 'status --porcelain']
    .map((command) => repository.git(...command.split(' ')))
    .join('\n--\n');
}

const worktreesOf = (repository: Repository) => {
  const directory = join(repository.outside, 'cache/rlm/worktrees');
  return existsSync(directory) ? readdirSync(directory) : [];
};

test('an isolated run leaves the tree alone and gives a branch and a patch, which rlm apply applies', {
  timeout: 90_000,
}, async () => {
  const repository = new Repository().act(TRY, FIX);
  // What is not committed is part of the work, and stays as it is.
  writeFileSync(join(repository.root, 'src/notes.txt'), 'mine\n');
  repository.put('src/math.js', `${BROKEN}// mine\n`);
  repository.git('add', 'src/math.js');
  const before = treeOf(repository);
  expect((await repository.refine('--isolate', 'worktree')).code).toBe(0);
  expect(treeOf(repository)).toBe(before);
  expect(repository.read('src/math.js')).toBe(`${BROKEN}// mine\n`);
  expect(worktreesOf(repository)).toEqual([]);
  expect(repository.git('worktree', 'list').trim().split('\n')).toHaveLength(1);

  const state = repository.state();
  expect(state).toMatchObject({
    ended: 'passed',
    winner: 1,
    branch: 'rlm/loop',
    patch: 'refine/result.patch',
  });
  expect(repository.git('show', 'rlm/loop:src/math.js')).toBe(FIXED);
  expect(repository.git('show', 'rlm/loop:src/notes.txt')).toBe('mine\n');
  expect(repository.git('log', '--format=%s', 'rlm/loop').split('\n').slice(0, 3)).toEqual([
    'rlm refine: Fix the failing test',
    'Working tree before rlm refine',
    'start',
  ]);
  const applied = await repository.run('apply', 'loop');
  expect(applied.code).toBe(0);
  expect(repository.read('src/math.js')).toBe(FIXED);
  // Twice is a conflict, and changes nothing.
  const again = await repository.run('apply', 'loop');
  expect(again.code).toBe(1);
  expect(again.stderr).toMatch(/does not apply|rlm\/loop/);
});

test('dependencies that git ignores are linked into the worktree, and are no part of the result', {
  timeout: 90_000,
}, async () => {
  const repository = new Repository({
    ...NODE_PROJECT,
    'package.json': '{ "type": "module", "scripts": { "test": "node node_modules/dep/check.js" } }\n',
  }).act(FIX);
  repository.put(
    'node_modules/dep/check.js',
    "import { readFileSync } from 'node:fs';\nprocess.exit(readFileSync('src/math.js', 'utf8').includes('a + b') ? 0 : 1);\n",
  );
  repository.put('node_modules/dep/package.json', '{ "type": "module" }');
  expect((await repository.refine('--isolate', 'worktree')).code).toBe(0);
  expect(repository.git('diff', '--name-only', 'HEAD', 'rlm/loop').trim()).toBe('src/math.js');
});

test('--setup prepares the worktree, and one that fails is an error before any turn', {
  timeout: 90_000,
}, async () => {
  const files = {
    ...NODE_PROJECT,
    'setup.sh': '#!/bin/sh\necho made > made.txt\n',
    'check.sh': '#!/bin/sh\ntest -f made.txt && grep -q "a + b" src/math.js\n',
  };
  const repository = new Repository(files).act(FIX);
  expect(
    (await repository.refine('--isolate', 'worktree', '--setup', './setup.sh', '--validator', './check.sh'))
      .code,
  ).toBe(0);
  const broken = new Repository({ ...files, 'setup.sh': '#!/bin/sh\nexit 7\n' }).act(FIX);
  expect(
    (await broken.refine('--isolate', 'worktree', '--setup', './setup.sh', '--validator', './check.sh')).code,
  ).toBe(4);
  expect(broken.state().reason).toMatch(/setup command failed: exit code 7/);
  expect(broken.turns).toBe(0);
  expect(worktreesOf(broken)).toEqual([]);
});

test('of several candidates the first that passes wins, under one budget', { timeout: 120_000 }, async () => {
  // One turn of all repairs, after the third; the others go on trying, and are ended with it.
  const repository = new Repository();
  repository.act(
    `if [ $turn -ge 3 ] && mkdir "${repository.outside}/won" 2>/dev/null; then\n${FIX}\nelse\n${TRY}\n[ $turn -ge 3 ] && sleep 60\nfi`,
  );
  const before = treeOf(repository);
  expect((await repository.refine('--candidates', '3', '--max-attempts', '20')).code).toBe(0);
  const state = repository.state();
  expect(state.winner).not.toBeNull();
  expect(repository.git('show', 'rlm/loop:src/math.js')).toBe(FIXED);
  expect(treeOf(repository)).toBe(before);
  expect(worktreesOf(repository)).toEqual([]);
});

test('with a metric the best iteration is the result, and a worse one is taken back', {
  timeout: 120_000,
}, async () => {
  const files = {
    'size.txt': 'xxxxxxxxxx\n',
    'metric.sh': '#!/bin/sh\necho "size: $(wc -c < size.txt)"\n',
    'README.md': 'x\n',
  };
  const turn = (text: string) => `echo ${text} > size.txt\necho "Summary: ${text.length} long"`;
  const repository = new Repository(files).act(
    turn('xxxxx'),
    turn('xxxxxxxxxxxxxxxxxx'),
    turn('xxx'),
    turn('xxxxxxx'),
  );
  const exit = await repository.refine(
    '--validator',
    'none',
    '--metric',
    './metric.sh',
    '--minimize',
    '--max-iterations',
    '4',
  );
  expect(exit.code).toBe(0);
  const iterations = repository.iterations();
  expect(iterations.map(({ metric, reverted }) => [metric, reverted])).toEqual([
    [6, false],
    [19, true],
    [4, false],
    [8, true],
  ]);
  expect(repository.git('show', 'rlm/loop:size.txt')).toBe('xxx\n');
  expect(repository.prompt(4)).toMatch(/## Metric\n.\/metric.sh \(lower is better\): best so far 4, last 4/);
});

test('isolation needs a git repository, and says so', { timeout: 30_000 }, async () => {
  const repository = new Repository(NODE_PROJECT, { git: false }).act(FIX);
  const exit = await repository.refine('--isolate', 'worktree');
  expect(exit.code).toBe(4);
  expect(`${exit.stderr}${exit.stdout}`).toMatch(/not in a git repository/);
});

test('50 worktrees at once leave no difference in the tree and no worktree behind', {
  timeout: 300_000,
}, async () => {
  const files = { 'a.txt': 'x\n', 'check.sh': '#!/bin/sh\ntest "$(cat a.txt)" = done\n' };
  const repository = new Repository(files).act(
    'sleep 0.$turn\ntest $turn -gt 8 && echo done > a.txt || echo "$turn" > a.txt\necho "Summary: x"',
  );
  const before = treeOf(repository);
  const runs = await Promise.all(
    Array.from({ length: 5 }, (_, index) =>
      repository.run(
        'refine',
        'Reach it',
        '--run',
        `many-${index}`,
        '--command',
        repository.agent,
        '--validator',
        './check.sh',
        '--candidates',
        '10',
      ),
    ),
  );
  expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
  expect(treeOf(repository)).toBe(before);
  expect(worktreesOf(repository)).toEqual([]);
  expect(repository.git('worktree', 'list').trim().split('\n')).toHaveLength(1);
});
