import { readFileSync, writeFileSync } from 'node:fs';
import wabt from 'wabt';

/** Compiles the module that finds literals into the constant that the program carries. */
const source = 'src/corpus/search/literals.wat';
const module = (await wabt()).parseWat(source, readFileSync(source, 'utf8'), { simd: true });
const base64 = Buffer.from(module.toBinary({}).buffer).toString('base64');
const lines = base64.match(/.{1,100}/g) ?? [];
writeFileSync(
  'src/corpus/search/literals-wasm.ts',
  `/** literals.wat, compiled by \`node scripts/run.mjs scripts/wasm.ts\`; a test compiles it again and compares. */
export const LITERALS_WASM =
${lines.map((line) => `  '${line}'`).join(' +\n')};
`,
);
