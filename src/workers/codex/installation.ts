import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { RlmError } from '../../errors.ts';
import { workerEnvironment } from '../../processes/index.ts';
import { oneLine } from '../../text/index.ts';
import { askProgram, type ProbeAnswer, probeCached } from '../probe.ts';

/** Names the `codex` to use when it is not the one on PATH. */
const BINARY_VARIABLE = 'RLM_CODEX';

export interface CodexBinary {
  /** What is started: the native program wherever it can be found. */
  file: string;
  /** Directories of programs that npm's wrapper puts on PATH for the native one. */
  pathDirectories: string[];
}

/**
 * Finds Codex: `explicit`, else `RLM_CODEX`, else `codex` on PATH. npm's wrapper script is passed by in favour
 * of the native program inside `@openai/codex-<platform>`: one process fewer a job, and a kill that hits.
 *
 * @throws RlmError `unavailable` when there is none
 */
export function findCodex(explicit: string | undefined, env: NodeJS.ProcessEnv): CodexBinary {
  const named = explicit ?? env[BINARY_VARIABLE];
  const found = named === undefined || named === '' ? onPath('codex', env) : resolveNamed(named, env);
  if (found === undefined) {
    throw new RlmError('unavailable', named ? `no program at ${named}` : 'no codex on PATH', {
      hint: `Install it with 'npm install -g @openai/codex', or name it in ${BINARY_VARIABLE}.`,
    });
  }
  return nativeOf(found) ?? { file: found, pathDirectories: [] };
}

function resolveNamed(name: string, env: NodeJS.ProcessEnv): string | undefined {
  if (!name.includes('/') && !isAbsolute(name)) return onPath(name, env);
  const path = resolve(name);
  return isProgram(path) ? path : undefined;
}

function onPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  for (const directory of (env.PATH ?? '').split(delimiter)) {
    if (directory === '') continue;
    for (const suffix of process.platform === 'win32' ? ['.exe', '.cmd', ''] : ['']) {
      const path = join(directory, name + suffix);
      if (isProgram(path)) return path;
    }
  }
  return undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The native program behind npm's `bin/codex.js`, or undefined when `path` is no such wrapper. */
function nativeOf(path: string): CodexBinary | undefined {
  const script = realpathSync(path);
  if (!script.endsWith('.js')) return undefined;
  let platformRoot: string;
  try {
    const name = `@openai/codex-${process.platform}-${process.arch}/package.json`;
    platformRoot = dirname(createRequire(script).resolve(name));
  } catch {
    // Older packages carry the programs of all platforms themselves.
    platformRoot = dirname(dirname(script));
  }
  const vendor = join(platformRoot, 'vendor');
  if (!existsSync(vendor)) return undefined;
  for (const triple of readdirSync(vendor).filter((name) => matchesHost(name))) {
    const file = join(vendor, triple, 'bin', process.platform === 'win32' ? 'codex.exe' : 'codex');
    if (!isProgram(file)) continue;
    const programs = join(vendor, triple, 'codex-path');
    return { file, pathDirectories: existsSync(programs) ? [programs] : [] };
  }
  return undefined;
}

function matchesHost(triple: string): boolean {
  const cpu = process.arch === 'x64' ? 'x86_64' : process.arch === 'arm64' ? 'aarch64' : process.arch;
  const system = SYSTEMS.get(process.platform);
  return triple.startsWith(cpu) && system !== undefined && triple.includes(system);
}

const SYSTEMS: ReadonlyMap<string, string> = new Map([
  ['linux', 'linux'],
  ['android', 'linux'],
  ['darwin', 'darwin'],
  ['win32', 'windows'],
]);

/** What the installed Codex knows; it changes monthly, so it is asked and never assumed. */
export const CodexCapabilities = z.object({
  version: z.string(),
  /** Names that `--disable` accepts; an unknown one is a fatal error of Codex. Never empty: see `probeCodex`. */
  features: z.array(z.string()).nonempty(),
  /** Long flags of `codex exec`, such as `--output-schema`. */
  execFlags: z.array(z.string()),
  /** Whether a sandbox can be given exact paths to read and write. */
  permissionProfiles: z.boolean(),
  /** Whether `codex app-server` speaks every method that the app-server lane needs. */
  appServer: z.boolean(),
});
export type CodexCapabilities = z.infer<typeof CodexCapabilities>;

/** Without these there is no exec lane: prompts by stdin and answers as events are what it needs. */
const NEEDED_FLAGS = ['--json', '--sandbox', '--skip-git-repo-check'];
const NEEDED_METHODS = ['initialize', 'thread/start', 'turn/start', 'turn/interrupt'];
const NEEDED_NOTIFICATIONS = ['turn/completed', 'item/completed', 'thread/tokenUsage/updated'];

/**
 * Asks the installed Codex what it can do, once per installed version. An answer that is not complete is an error
 * and is never kept: without its list of features a worker would be started with a shell.
 *
 * @throws RlmError `unavailable` when it does not run, is too old for `exec --json`, or lists no features
 */
export function probeCodex(
  binary: CodexBinary,
  cacheDir: string,
  env: NodeJS.ProcessEnv,
): Promise<CodexCapabilities> {
  return probeCached(cacheDir, binary.file, CodexCapabilities, () => ask(binary, env));
}

const UPDATE = 'Update it: npm install -g @openai/codex@latest';

async function ask(binary: CodexBinary, source: NodeJS.ProcessEnv): Promise<CodexCapabilities> {
  const directory = mkdtempSync(join(tmpdir(), 'rlm-codex-probe-'));
  const home = join(directory, 'home');
  mkdirSync(home);
  // A home of its own: the user's settings must not decide what a version is said to be able to do.
  const env = workerEnvironment({ values: { CODEX_HOME: home } }, source);
  const codex = (...args: string[]) => askProgram(binary.file, args, { env });
  try {
    const version = await codex('--version');
    const number = /\d+\.\d+\.\d+\S*/.exec(version.stdout)?.[0];
    if (number === undefined) {
      throw new RlmError('unavailable', `${binary.file} --version says '${oneLine(version.stdout, 200)}'`, {
        hint: 'That is not the Codex CLI; name the right one in RLM_CODEX.',
      });
    }
    const schemas = join(directory, 'protocol');
    const asked = [
      codex('exec', '--help'),
      codex('features', 'list'),
      codex('sandbox', '--help'),
      codex('app-server', 'generate-json-schema', '--out', schemas),
    ] as const;
    // Where one fails the others still run, and write into the directory that is removed below.
    await Promise.allSettled(asked);
    const [help, table, sandbox, protocol] = await Promise.all(asked);
    requireAnswer('exec --help', help);
    requireAnswer('features list', table);
    const execFlags = [...new Set(help.stdout.match(/--[a-z][a-z-]+/g) ?? [])].sort();
    const missing = NEEDED_FLAGS.filter((flag) => !execFlags.includes(flag));
    if (missing.length > 0) {
      throw new RlmError(
        'unavailable',
        `codex ${number} does not know ${missing.join(', ')} of 'codex exec'`,
        { hint: UPDATE },
      );
    }
    const [feature, ...features] = featureNames(table.stdout);
    if (feature === undefined) {
      const message = `codex ${number} lists no features, so its shell cannot be switched off for workers`;
      throw new RlmError('unavailable', message, { hint: UPDATE });
    }
    const hasSandbox = knowsCommand('sandbox --help', sandbox);
    const hasProtocol = knowsCommand('app-server generate-json-schema', protocol);
    return {
      version: number,
      features: [feature, ...features],
      execFlags,
      permissionProfiles: hasSandbox && sandbox.stdout.includes('--permission-profile'),
      appServer: hasProtocol && speaksProtocol(schemas),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @throws RlmError `unavailable`, retryable, when a command that every version has failed */
function requireAnswer(command: string, { exitCode, stderr }: ProbeAnswer): void {
  if (exitCode === 0) return;
  const said = oneLine(stderr, 200);
  throw new RlmError('unavailable', `codex ${command} exited with code ${exitCode}: ${said}`, {
    hint: `Run 'codex ${command}' by hand. ${UPDATE}`,
    retryable: true,
  });
}

/** Exit code of Codex's command parser for a command that it does not know. */
const UNKNOWN_COMMAND = 2;

/** @throws RlmError as `requireAnswer`, for a command that is known and failed */
function knowsCommand(command: string, answer: ProbeAnswer): boolean {
  if (answer.exitCode === UNKNOWN_COMMAND) return false;
  requireAnswer(command, answer);
  return true;
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
