/*
 * Runs a TypeScript script of this folder on any Node that the package supports (20 cannot strip types):
 *
 *   node scripts/run.mjs scripts/docs.ts [arguments…]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const [script, ...rest] = process.argv.slice(2);
if (script === undefined) throw new Error('name the script to run');
// Under node_modules, so that packages are found from there.
const directory = mkdtempSync(join(root, 'node_modules', '.rlm-script-'));
const outfile = join(directory, basename(script).replace(/\.ts$/, '.mjs'));
try {
  await build({
    absWorkingDir: root,
    entryPoints: [script],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
  });
  process.chdir(root);
  process.argv = [process.execPath, outfile, ...rest];
  await import(pathToFileURL(outfile).href);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
