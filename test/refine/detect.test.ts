import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { detectValidators } from '../../src/refine/detect.ts';
import { temporaryDirectory } from '../support/runs.ts';

function repository(files: Record<string, string>): string {
  const root = temporaryDirectory();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const manifest = (test: string | undefined, packageManager?: string) =>
  JSON.stringify({
    ...(packageManager ? { packageManager } : {}),
    scripts: test === undefined ? {} : { test },
  });
const real = manifest('node --test');

test.each([
  [
    'npm by its lock file',
    { 'package.json': real, 'package-lock.json': '{}' },
    'npm test',
    'node: package-lock.json',
  ],
  ['pnpm', { 'package.json': real, 'pnpm-lock.yaml': '' }, 'pnpm test', 'node: pnpm-lock.yaml'],
  ['yarn', { 'package.json': real, 'yarn.lock': '' }, 'yarn test', 'node: yarn.lock'],
  ['bun by its text lock file', { 'package.json': real, 'bun.lock': '' }, 'bun run test', 'node: bun.lock'],
  ['npm without a lock file', { 'package.json': real }, 'npm test', 'node: package.json'],
  [
    'the packageManager field between two lock files',
    { 'package.json': manifest('vitest run', 'pnpm@9.1.0'), 'package-lock.json': '{}', 'yarn.lock': '' },
    'pnpm test',
    'node: packageManager pnpm@9.1.0',
  ],
  [
    'pyproject and pytest.ini as one',
    { 'pyproject.toml': '[tool.pytest.ini_options]\n', 'pytest.ini': '[pytest]\n' },
    'pytest',
    'python: pytest.ini, pyproject.toml',
  ],
  [
    'requirements with tests',
    { 'requirements.txt': 'x\n', 'tests/test_a.py': '' },
    'pytest',
    'python: requirements.txt',
  ],
  ['tox', { 'tox.ini': '[tox]\nenvlist = py3\n' }, 'tox', 'python: tox.ini'],
  ['go', { 'go.mod': 'module x\n' }, 'go test ./...', 'go: go.mod'],
  ['cargo', { 'Cargo.toml': '[package]\n' }, 'cargo test', 'rust: Cargo.toml'],
  [
    'deno with a task',
    { 'deno.json': '{"tasks": {"test": "deno test -A"}}' },
    'deno task test',
    'deno: deno.json',
  ],
  [
    'gradle by its wrapper',
    { 'build.gradle.kts': '', gradlew: '' },
    './gradlew test',
    'gradle: build.gradle.kts',
  ],
  ['maven', { 'pom.xml': '' }, 'mvn test', 'maven: pom.xml'],
  ['dotnet', { 'App.sln': '' }, 'dotnet test', 'dotnet: App.sln'],
  [
    'a Makefile',
    { Makefile: 'build:\n\tcc a.c\ntest: build\n\t./run-tests\n' },
    'make test',
    'make: Makefile target test',
  ],
])('finds %s, and says why', (_, files, command, reason) => {
  const { candidates } = detectValidators(repository(files));
  expect(candidates.map((candidate) => [candidate.command, candidate.reason])).toEqual([[command, reason]]);
});

test('a Makefile that only calls what was found already is a further sign of it', () => {
  const root = repository({
    'package.json': real,
    'package-lock.json': '{}',
    Makefile: 'test:\n\t@npm test\n',
  });
  expect(detectValidators(root).candidates).toMatchObject([
    {
      command: 'npm test',
      signals: ['package-lock.json', 'Makefile'],
      reason: 'node: package-lock.json, Makefile',
    },
  ]);
});

test.each([
  [
    "npm's placeholder",
    { 'package.json': manifest('echo "Error: no test specified" && exit 1') },
    /npm's placeholder/,
  ],
  [
    'a manifest without a test script',
    { 'package.json': manifest(undefined) },
    /scripts.test in package.json is missing/,
  ],
  ['a manifest that is not JSON', { 'package.json': '{' }, /not valid JSON/],
  ['requirements without any test', { 'requirements.txt': 'x\n' }, /no tests/],
  ['a Makefile without the target', { Makefile: 'all:\n\tcc a.c\n' }, /no target test/],
  ['a Makefile that only sets a variable', { Makefile: 'test := 1\n' }, /no target test/],
])('does not take %s, and says why', (_, files, reason) => {
  const found = detectValidators(repository(files));
  expect(found.candidates).toEqual([]);
  expect(found.rejected.join('\n')).toMatch(reason);
});

test('two ecosystems, and two lock files without a packageManager, are several candidates', () => {
  const both = detectValidators(repository({ 'package.json': real, 'go.mod': 'module x\n' }));
  expect(both.candidates.map(({ id }) => id)).toEqual(['npm-test', 'go-test']);
  const locks = detectValidators(
    repository({ 'package.json': real, 'yarn.lock': '', 'package-lock.json': '{}' }),
  );
  expect(locks.candidates.map(({ id }) => id).sort()).toEqual(['npm-test', 'yarn-test']);
});

test('an empty directory has none', () => {
  expect(detectValidators(temporaryDirectory())).toEqual({ candidates: [], rejected: [] });
});
