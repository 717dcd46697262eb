import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordSchemas } from './record-schemas.ts';

/*
 * Writes schemas/*.schema.json from src/contracts/; with --check says whether they are up to date instead.
 */
const directory = 'schemas';
const wanted = recordSchemas();
mkdirSync(directory, { recursive: true });
const present = readdirSync(directory);
if (process.argv.includes('--check')) {
  const wrong = [
    ...present.filter((name) => !wanted.has(name)),
    ...[...wanted]
      .filter(
        ([name, text]) => !present.includes(name) || readFileSync(join(directory, name), 'utf8') !== text,
      )
      .map(([name]) => name),
  ];
  if (wrong.length > 0) {
    console.error(`schemas/ is not what src/contracts/ says (${wrong.join(', ')}); run \`npm run schemas\``);
    process.exitCode = 1;
  }
} else {
  for (const name of present) if (!wanted.has(name)) rmSync(join(directory, name));
  for (const [name, text] of wanted) writeFileSync(join(directory, name), text);
}
