import { readFileSync, writeFileSync } from 'node:fs';
import { toolReference } from './tool-reference.ts';

/*
 * Writes docs/TOOLS.md from the tools' definitions; with --check says whether it is up to date instead.
 */
const path = 'docs/TOOLS.md';
const text = toolReference();
if (!process.argv.includes('--check')) writeFileSync(path, text);
else if (readFileSync(path, 'utf8') !== text) {
  console.error(`${path} is not what the definitions say; run \`npm run docs\``);
  process.exitCode = 1;
}
