import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type GuardOptions, TamperGuard } from '../../src/refine/guard.ts';
import { Snapshots } from '../../src/refine/snapshots.ts';
import { temporaryDirectory } from '../support/runs.ts';

const FILES = {
  'package.json': '{\n  "name": "x",\n  "scripts": { "test": "runner test" }\n}\n',
  'package-lock.json': '{}\n',
  'vitest.config.ts': 'export default {};\n',
  'src/math.js': 'export const add = (a, b) => a - b;\n',
  'test/math.test.js': 'check(add(1, 2) === 3);\n',
  'test/__snapshots__/a.snap': 'old\n',
  'check.sh': '#!/bin/sh\nexit 1\n',
  '.gitignore': 'node_modules/\n',
  'node_modules/runner/cli.js': 'run();\n',
};

async function guarded(change: Partial<GuardOptions> = {}) {
  const root = temporaryDirectory();
  const store = temporaryDirectory();
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [path, text] of Object.entries(FILES)) put(path, text);
  mkdirSync(join(root, 'node_modules/.bin'));
  symlinkSync('../runner/cli.js', join(root, 'node_modules/.bin/runner'));
  const snapshots = await Snapshots.open(root, join(store, 'snapshots'));
  const before = await snapshots.take();
  const guard = await TamperGuard.open(snapshots, {
    directory: root,
    commands: [['npm', 'test'], ['./check.sh']],
    protect: [],
    onTamper: 'restore',
    store: join(store, 'protected'),
    ...change,
  });
  const read = (path: string) =>
    existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined;
  return {
    root,
    put,
    read,
    guard,
    snapshots,
    before,
    check: async () => (await guard.check(before)).tampered,
  };
}

type Place = Awaited<ReturnType<typeof guarded>>;
const CHEATS: [name: string, path: string, cheat: (place: Place) => void][] = [
  ['edits a test', 'test/math.test.js', ({ put }) => put('test/math.test.js', 'check(true);\n')],
  ['deletes a test', 'test/math.test.js', ({ root }) => rmSync(join(root, 'test/math.test.js'))],
  [
    'rewrites a snapshot',
    'test/__snapshots__/a.snap',
    ({ put }) => put('test/__snapshots__/a.snap', 'new\n'),
  ],
  [
    'weakens the configuration',
    'vitest.config.ts',
    ({ put }) => put('vitest.config.ts', 'export default { exclude: ["**"] };\n'),
  ],
  ['changes the lock file', 'package-lock.json', ({ put }) => put('package-lock.json', '{"x":1}\n')],
  [
    'rewrites the script that is the validator',
    'check.sh',
    ({ put }) => put('check.sh', '#!/bin/sh\nexit 0\n'),
  ],
  [
    'patches the runner among ignored files',
    'node_modules/runner/cli.js',
    ({ put }) => put('node_modules/runner/cli.js', 'process.exit(0);\n'),
  ],
  [
    'patches the runner and puts its times back',
    'node_modules/runner/cli.js',
    ({ root }) =>
      execFileSync('sh', ['-c', 'touch -r cli.js t; echo "ru2();" > cli.js; touch -r t cli.js; rm t'], {
        cwd: join(root, 'node_modules/runner'),
      }),
  ],
  ['changes the mode of the validator', 'check.sh', ({ root }) => chmodSync(join(root, 'check.sh'), 0o755)],
];

test.each(CHEATS)('a turn that %s is seen, and undone', async (_, path, cheat) => {
  const place = await guarded();
  cheat(place);
  expect(await place.check()).toEqual([expect.objectContaining({ path, restored: true })]);
  expect(place.read(path)).toBe(FILES[path as keyof typeof FILES]);
  expect(await place.check()).toEqual([]);
});

test('a configuration file that did not exist is removed; a new test and a change of the product stay', async () => {
  const place = await guarded();
  place.put('jest.config.js', 'module.exports = { testPathIgnorePatterns: [".*"] };\n');
  place.put('test/more.test.js', 'check(1);\n');
  place.put('src/math.js', 'export const add = (a, b) => a + b;\n');
  expect(await place.check()).toEqual([{ path: 'jest.config.js', change: 'added', restored: true }]);
  expect(place.read('jest.config.js')).toBeUndefined();
  expect(place.read('test/more.test.js')).toBe('check(1);\n');
  expect(place.read('src/math.js')).toContain('a + b');
});

test('of package.json only what decides the tests is put back', async () => {
  const place = await guarded();
  place.put(
    'package.json',
    '{\n  "name": "x",\n  "scripts": { "test": "true" },\n  "dependencies": { "left": "1" }\n}\n',
  );
  expect(await place.check()).toEqual([{ path: 'package.json', change: 'changed', restored: true }]);
  expect(JSON.parse(place.read('package.json') ?? '')).toEqual({
    name: 'x',
    scripts: { test: 'runner test' },
    dependencies: { left: '1' },
  });
  place.put('package.json', (place.read('package.json') ?? '').replace('"left"', '"right"'));
  expect(await place.check()).toEqual([]);
});

test('a deleted package.json comes back whole', async () => {
  const place = await guarded();
  rmSync(join(place.root, 'package.json'));
  expect(await place.check()).toEqual([{ path: 'package.json', change: 'deleted', restored: true }]);
  expect(place.read('package.json')).toBe(FILES['package.json']);
});

test('--protect adds files, and !glob takes files out', async () => {
  const place = await guarded({ protect: ['src/contract.js', '!test/fixtures/**'] });
  place.put('src/contract.js', 'x');
  place.put('test/fixtures/new.txt', 'x');
  const seen = await place.check();
  expect(seen).toEqual([{ path: 'src/contract.js', change: 'added', restored: true }]);
});

test.each(['stop', 'allow'] as const)('with %s a change is told and left', async (onTamper) => {
  const place = await guarded({ onTamper });
  place.put('test/math.test.js', 'check(true);\n');
  expect(await place.check()).toEqual([{ path: 'test/math.test.js', change: 'changed', restored: false }]);
  expect(place.read('test/math.test.js')).toBe('check(true);\n');
});

test('a snapshot never touches the index, HEAD or stash of a repository, and takes its ignored files for none', async () => {
  const root = temporaryDirectory();
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' });
  git('init', '-q');
  writeFileSync(join(root, '.gitignore'), 'ignored\n');
  writeFileSync(join(root, 'a'), '1\n');
  writeFileSync(join(root, 'ignored'), 'x\n');
  git('add', 'a');
  const before = git('status', '--porcelain', '--ignored');
  const snapshots = await Snapshots.open(root, join(temporaryDirectory(), 's'));
  const first = await snapshots.take();
  writeFileSync(join(root, 'a'), '2\n3\n');
  writeFileSync(join(root, 'b'), 'new\n');
  const second = await snapshots.take();
  expect(await snapshots.compare(first, second)).toEqual({
    files: [
      { path: 'a', status: 'changed' },
      { path: 'b', status: 'added' },
    ],
    insertions: 3,
    deletions: 1,
  });
  await snapshots.restoreAll(first);
  expect(readFileSync(join(root, 'a'), 'utf8')).toBe('1\n');
  expect(existsSync(join(root, 'b'))).toBe(false);
  expect(readFileSync(join(root, 'ignored'), 'utf8')).toBe('x\n');
  expect(git('status', '--porcelain', '--ignored')).toBe(before);
});
