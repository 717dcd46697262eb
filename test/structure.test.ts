import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** From the top (docs/ARCHITECTURE.md). A folder may import only from the lines below its own. */
const LAYERS = [
  ['main.ts', 'launcher.ts', 'extractor.ts'],
  ['mcp', 'cli'],
  ['tools'],
  ['resources'],
  ['doctor', 'report', 'activities'],
  ['ask', 'recursive', 'refine', 'queue', 'mapreduce'],
  ['batch'],
  ['evidence', 'dispatch'],
  ['workers'],
  ['corpus'],
  ['processes'],
  ['runs', 'config'],
  ['contracts'],
  ['files'],
  ['text'],
  ['errors.ts', 'version.ts'],
];
const layerOf = new Map(LAYERS.flatMap((names, layer) => names.map((name) => [name, layer] as const)));

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const texts = new Map(files.map((file) => [file, readFileSync(join(src, file), 'utf8')]));
const imports = [...texts].flatMap(([file, text]) =>
  [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)]
    .map(([, target = '']) => ({ file, target: relative(src, join(src, dirname(file), target)) }))
    .filter(({ target }) => !target.startsWith('..')),
);
const folderOf = (path: string) => path.split(sep)[0] ?? '';

test('every folder has its layer', () => {
  expect([...new Set(files.map(folderOf))].filter((name) => !layerOf.has(name))).toEqual([]);
});

test('imports go down only', () => {
  const wrong = imports.filter(({ file, target }) => {
    const [from, to] = [folderOf(file), folderOf(target)];
    return from !== to && (layerOf.get(to) ?? -1) <= (layerOf.get(from) ?? Number.POSITIVE_INFINITY);
  });
  expect(wrong.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
});

test('no files import each other in a cycle', () => {
  const left = new Map(files.map((file) => [file, imports.filter((one) => one.file === file)]));
  // A file whose imports are all removed is removed; what then remains is in cycles.
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const [file, needed] of left) if (!needed.some(({ target }) => left.has(target))) left.delete(file);
  }
  expect([...left.keys()]).toEqual([]);
});

test('a folder is entered by its entry point', () => {
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

test('only src/mcp imports the MCP SDK', () => {
  const importers = [...texts].filter(([, text]) => text.includes("'@modelcontextprotocol/"));
  expect([...new Set(importers.map(([file]) => folderOf(file)))]).toEqual(['mcp']);
});
