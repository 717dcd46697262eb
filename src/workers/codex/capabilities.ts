import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { RlmError } from '../../errors.ts';
import { workerEnvironment } from '../environment.ts';
import { harmless } from '../printed.ts';
import { askProgram, probeCached } from '../probe.ts';
import type { CodexBinary } from './binary.ts';

/** What the installed Codex knows; it changes monthly, so it is asked and never assumed (FACTS 1). */
export const CodexCapabilities = z.object({
  version: z.string(),
  /** Names that `--disable` accepts; an unknown one is a fatal error of Codex. */
  features: z.array(z.string()),
  /** Long flags of `codex exec`, such as `--output-schema`. */
  execFlags: z.array(z.string()),
  /** Whether a sandbox can be given exact paths to read and write. */
  permissionProfiles: z.boolean(),
  /** Whether `codex app-server` speaks every method that the app-server lane needs. */
  appServer: z.boolean(),
});
export type CodexCapabilities = z.infer<typeof CodexCapabilities>;

/** Without these there is no exec lane: prompts by stdin and answers as events are what it stands on. */
const NEEDED_FLAGS = ['--json', '--sandbox', '--skip-git-repo-check'];
const NEEDED_METHODS = ['initialize', 'thread/start', 'turn/start', 'turn/interrupt'];
const NEEDED_NOTIFICATIONS = ['turn/completed', 'item/completed', 'thread/tokenUsage/updated'];

/**
 * Asks the installed Codex what it can do, once per installed version.
 *
 * @throws RlmError `unavailable` when it does not run, or is too old for `exec --json`
 */
export function probeCodex(
  binary: CodexBinary,
  cacheDir: string,
  env: NodeJS.ProcessEnv,
): Promise<CodexCapabilities> {
  return probeCached(cacheDir, binary.file, CodexCapabilities, () => ask(binary, env));
}

async function ask(binary: CodexBinary, source: NodeJS.ProcessEnv): Promise<CodexCapabilities> {
  const directory = mkdtempSync(join(tmpdir(), 'rlm-codex-probe-'));
  const home = join(directory, 'home');
  mkdirSync(home);
  // A home of its own: the user's settings must not decide what a version is said to be able to do.
  const env = workerEnvironment({ values: { CODEX_HOME: home } }, source);
  try {
    const version = await askProgram(binary.file, ['--version'], { env });
    const number = /\d+\.\d+\.\d+\S*/.exec(version.stdout)?.[0];
    if (number === undefined) {
      throw new RlmError('unavailable', `${binary.file} --version says '${harmless(version.stdout, 200)}'`, {
        hint: 'That is not the Codex CLI; name the right one in RLM_CODEX.',
      });
    }
    const [help, features, sandbox, protocol] = await Promise.all([
      askProgram(binary.file, ['exec', '--help'], { env }),
      askProgram(binary.file, ['features', 'list'], { env }),
      askProgram(binary.file, ['sandbox', '--help'], { env }),
      askProgram(binary.file, ['app-server', 'generate-json-schema', '--out', join(directory, 'protocol')], {
        env,
      }),
    ]);
    const execFlags = [...new Set(help.stdout.match(/--[a-z][a-z-]+/g) ?? [])].sort();
    const missing = NEEDED_FLAGS.filter((flag) => !execFlags.includes(flag));
    if (missing.length > 0) {
      throw new RlmError(
        'unavailable',
        `codex ${number} does not know ${missing.join(', ')} of 'codex exec'`,
        {
          hint: 'Update it: npm install -g @openai/codex@latest',
        },
      );
    }
    return {
      version: number,
      features: features.end.exitCode === 0 ? featureNames(features.stdout) : [],
      execFlags,
      permissionProfiles: sandbox.stdout.includes('--permission-profile'),
      appServer: protocol.end.exitCode === 0 && speaksProtocol(join(directory, 'protocol')),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** `features list` prints name, stage and state in columns; a removed one is still accepted by `--disable`. */
function featureNames(table: string): string[] {
  return table.split('\n').flatMap((row) => /^([a-z][\w.]*)\s+\S/.exec(row)?.[1] ?? []);
}

function speaksProtocol(directory: string): boolean {
  return (
    namesAll(join(directory, 'ClientRequest.json'), NEEDED_METHODS) &&
    namesAll(join(directory, 'ServerNotification.json'), NEEDED_NOTIFICATIONS)
  );
}

function namesAll(schemaFile: string, names: readonly string[]): boolean {
  if (!existsSync(schemaFile)) return false;
  const text = readFileSync(schemaFile, 'utf8');
  return names.every((name) => text.includes(`"${name}"`));
}
