/*
 * Runs a command of this package from a fresh clone: installs what is missing first.
 *
 *   node scripts/bootstrap.mjs [--build] <program> [arguments…]
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [first, ...rest] = process.argv.slice(2);
const build = first === '--build';
const command = build ? rest : [first, ...rest];

// npm writes this file last: without it an install is missing or was cut short.
if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) {
  run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund']);
}
if (build) run(process.execPath, ['scripts/build.mjs']);
run(command[0], command.slice(1));

function run(program, args) {
  const path = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`;
  const shell = process.platform === 'win32' && program !== process.execPath;
  const { status, signal, error } = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
    shell,
  });
  if (error) console.error(`${program}: ${error.message}`);
  if (signal) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
}
