import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RlmError } from '../errors.ts';

/**
 * The directory of this package: where `dist/` and `skills/` lie, from wherever in it this code was loaded.
 *
 * @throws RlmError `internal` when the code was taken out of its package
 */
export function packageRoot(): string {
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    const manifest = join(directory, 'package.json');
    if (existsSync(manifest) && /"name":\s*"rlm-mcp"/.test(readFileSync(manifest, 'utf8'))) return directory;
    if (directory === dirname(directory)) {
      throw new RlmError('internal', 'this program is not in its package any more', {
        hint: 'Install rlm-mcp anew.',
      });
    }
  }
}
