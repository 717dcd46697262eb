import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Builds `dist/rlm.js` once before the tests (vitest's globalSetup). When it cannot be built the old bundle is
 * removed, so that the tests that need it fail instead of testing something else; the others still run.
 */
export default function setup(): void {
  try {
    execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    rmSync(new URL('../../dist/rlm.js', import.meta.url), { force: true });
    process.stderr.write(`dist/rlm.js was not built: ${String(error)}\n`);
  }
}
