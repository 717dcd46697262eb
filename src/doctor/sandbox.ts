import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { runProgram, workerEnvironment } from '../processes/index.ts';
import { findCodex } from '../workers/codex/index.ts';
import { ok, type Surroundings, warn } from './finding.ts';
import type { Finding } from './report.ts';

const FIX =
  'Batches need no sandbox; workers with tools do. On Linux allow unprivileged user namespaces, or install bubblewrap.';

/** Runs a command in Codex's read-only sandbox: it must run, and it must not be able to write. */
export async function checkSandbox({ env, scratch }: Surroundings): Promise<Finding> {
  const check = 'codex sandbox';
  if (process.platform === 'win32') return warn(check, 'not tried on Windows', FIX);
  const directory = join(scratch, 'sandbox');
  const codexHome = join(directory, '.codex');
  // As a worker with tools has it: in a home below TMPDIR Codex makes no helper for its sandbox.
  const temporary = join(directory, 'tmp');
  for (const each of [codexHome, temporary]) mkdirSync(each, { recursive: true });
  const { file } = findCodex(undefined, env);
  const shell = ['/bin/sh', '-c', 'echo it-runs; : > written'];
  try {
    const { stdout, stderr, interrupted } = await runProgram(
      file,
      ['sandbox', '-c', 'sandbox_mode="read-only"', '--', ...shell],
      {
        env: workerEnvironment(
          { values: { HOME: directory, CODEX_HOME: codexHome, TMPDIR: temporary } },
          env,
        ),
        cwd: directory,
      },
    );
    if (existsSync(join(directory, 'written'))) {
      return warn(check, 'a command in the read-only sandbox could write', FIX);
    }
    if (stdout.includes('it-runs')) return ok(check, 'read-only holds: a command ran and could not write');
    return warn(
      check,
      `a command did not run in it: ${interrupted ?? stderr.trim().split('\n').at(-1)}`,
      FIX,
    );
  } catch (error) {
    return warn(check, messageOf(error), FIX);
  }
}
