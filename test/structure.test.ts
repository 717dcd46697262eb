import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** The house, from the top (AGENTS.md): imports go down only. */
const FLOORS = [
  ['main.ts', 'launcher.ts'],
  ['mcp', 'cli'],
  ['tools'],
  ['doctor', 'activities'],
  ['ask', 'mapreduce'],
  ['batch'],
  ['evidence', 'dispatch'],
  ['corpus', 'workers'],
  ['language'],
  ['runs', 'config'],
  ['contracts'],
  ['files'],
  ['errors.ts', 'version.ts'],
];
const floorOf = new Map(FLOORS.flatMap((names, floor) => names.map((name) => [name, floor] as const)));

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const imports = files
  .flatMap((file) =>
    [...readFileSync(join(src, file), 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(
      ([, target = '']) => ({ file, target: relative(src, join(src, dirname(file), target)) }),
    ),
  )
  .filter(({ target }) => !target.startsWith('..'));
const folderOf = (path: string) => path.split(sep)[0] ?? '';

test('every folder has its floor', () => {
  expect([...new Set(files.map(folderOf))].filter((name) => !floorOf.has(name))).toEqual([]);
});

test('imports go down only', () => {
  const wrong = imports.filter(({ file, target }) => {
    const [from, to] = [folderOf(file), folderOf(target)];
    return from !== to && (floorOf.get(to) ?? -1) <= (floorOf.get(from) ?? Number.POSITIVE_INFINITY);
  });
  expect(wrong.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
});

test('files import each other in no circle', () => {
  const left = new Map(files.map((file) => [file, imports.filter((one) => one.file === file)]));
  // A file whose imports are all done is done; what then remains goes in circles.
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const [file, needed] of left) if (!needed.some(({ target }) => left.has(target))) left.delete(file);
  }
  expect([...left.keys()]).toEqual([]);
});

test('a folder is entered by its door', () => {
  const wrong = imports.filter(({ file, target }) => {
    const to = folderOf(target);
    return (
      folderOf(file) !== to &&
      !to.endsWith('.ts') &&
      !/^[a-z]+(?:\/[a-z-]+)?\/index\.ts$/.test(target.replaceAll(sep, '/'))
    );
  });
  expect(wrong.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
});

test('only the MCP face imports the MCP SDK', () => {
  const importers = files.filter((file) =>
    readFileSync(join(src, file), 'utf8').includes("'@modelcontextprotocol/"),
  );
  expect([...new Set(importers.map(folderOf))]).toEqual(['mcp']);
});
