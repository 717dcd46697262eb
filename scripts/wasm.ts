import { readFileSync, writeFileSync } from 'node:fs';
import wabt from 'wabt';

/** Compiles the modules of `src/corpus/search/` into the constants that the program carries. */
for (const name of ['literals', 'words']) {
  const source = `src/corpus/search/${name}.wat`;
  const module = (await wabt()).parseWat(source, readFileSync(source, 'utf8'), { simd: true });
  const base64 = Buffer.from(module.toBinary({}).buffer).toString('base64');
  const lines = base64.match(/.{1,100}/g) ?? [];
  writeFileSync(
    `src/corpus/search/${name}-wasm.ts`,
    `/** ${name}.wat, compiled by \`node scripts/run.mjs scripts/wasm.ts\`; a test compiles it again and compares. */
export const ${name.toUpperCase()}_WASM =
${lines.map((line) => `  '${line}'`).join(' +\n')};
`,
  );
}
