/*
 * Bundles the bin: dist/rlm.js, the chunks it loads when they are needed, and the licences of what is inside.
 * One file would have to be compiled whole at every start: 3.0 times bare node to `initialize` against 2.5.
 *
 * Everything is bundled but the packages of `LOADED_WHEN_NEEDED`: each is big, read by few runs, and imported
 * dynamically where it is needed. A static import of an external package would be hoisted to the top of the
 * bundle and slow every start.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const LOADED_WHEN_NEEDED = ['@anthropic-ai/sdk', 'html-to-text', 'mammoth', 'openai', 'unpdf'];
const external = LOADED_WHEN_NEEDED.flatMap((name) => [name, `${name}/*`]);

/** Packages in CommonJS inside a bundle call require() for Node's own modules. */
const REQUIRE = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
];
const options = {
  absWorkingDir: root,
  outdir: 'dist',
  bundle: true,
  write: false,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  legalComments: 'external',
  logLevel: 'warning',
  metafile: true,
};
const bin = await build({
  ...options,
  entryPoints: ['src/main.ts'],
  entryNames: 'rlm',
  chunkNames: 'chunks/[name]-[hash]',
  splitting: true,
  external,
  plugins: [leaveOut()],
  banner: { js: ['#!/usr/bin/env node', ...REQUIRE].join('\n') },
});
// A bundle of its own: whatever else were in this process would be copied at every fork (src/processes/launcher.ts).
const launcher = await build({ ...options, entryPoints: ['src/launcher.ts'] });
// The same for what may be killed over a document (src/corpus/extract/extractor.ts): it starts with little.
const extractor = await build({
  ...options,
  entryPoints: ['src/extractor.ts'],
  external,
  banner: { js: REQUIRE.join('\n') },
});
const bundles = [bin, launcher, extractor];

// Renamed into place, the entry last: a program that starts while we build sees the old bundle or the new one.
// Chunks of builds before stay for programs that run, until a package is made (`--clean`).
const dist = join(root, 'dist');
if (process.argv.includes('--clean')) rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, 'chunks'), { recursive: true });
const entryLast = bundles
  .flatMap(({ outputFiles }) => outputFiles)
  .sort((a, b) => a.path.endsWith('rlm.js') - b.path.endsWith('rlm.js'));
for (const file of entryLast) {
  const temporary = `${file.path}.${process.pid}.tmp`;
  writeFileSync(temporary, file.contents);
  if (file.path.endsWith('rlm.js')) chmodSync(temporary, 0o755);
  try {
    renameSync(temporary, file.path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
// npm links the bins of dependencies, not a package's own: with this `npx rlm`, and mcp.json, work in a clone too.
const bins = join(root, 'node_modules', '.bin');
if (existsSync(bins) && process.platform !== 'win32') {
  const temporary = join(bins, `.rlm.${process.pid}.tmp`);
  symlinkSync(join('..', '..', 'dist', 'rlm.js'), temporary);
  renameSync(temporary, join(bins, 'rlm'));
}
if (process.argv.includes('--report')) {
  for (const [path, output] of bundles.flatMap(({ metafile }) => Object.entries(metafile.outputs))) {
    console.log(`${path}: ${output.bytes} bytes`);
    const inputs = Object.entries(output.inputs).map(([file, { bytesInOutput }]) => [
      packageOf(file),
      bytesInOutput,
    ]);
    const sizes = new Map();
    for (const [name, bytes] of inputs) sizes.set(name, (sizes.get(name) ?? 0) + bytes);
    for (const [name, bytes] of [...sizes].sort((a, b) => b[1] - a[1]).slice(0, 15)) {
      console.log(`  ${String(bytes).padStart(8)} ${name}`);
    }
  }
}

function packageOf(file) {
  return /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? 'rlm-mcp';
}

/** What is imported but never used, and costs every start: 700 kB of 1.6 MB, a third of the time to `initialize`. */
function leaveOut() {
  const contents = [
    // Only `version` of our own manifest is read.
    [/^package\.json$/, JSON.stringify({ version: manifest.version }), 'json'],
    // zod's messages in 50 languages.
    [/node_modules\/zod\/v4\/locales\/index\.js$/, "export { default as en } from './en.js';", 'js'],
    // The SDK's own Ajv checks elicitation, which the server does not use (src/mcp/server.ts).
    [
      /@modelcontextprotocol\/sdk\/dist\/esm\/validation\/ajv-provider\.js$/,
      'export class AjvJsonSchemaValidator {}',
      'js',
    ],
  ];
  return {
    name: 'leave-out',
    setup(context) {
      context.onLoad({ filter: /\.(js|json)$/ }, ({ path }) => {
        const found = contents.find(([pattern]) => pattern.test(relative(root, path).replaceAll('\\', '/')));
        return found === undefined
          ? undefined
          : { contents: found[1], loader: found[2], resolveDir: dirname(path) };
      });
    },
  };
}
