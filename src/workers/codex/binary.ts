import { accessSync, constants, existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { RlmError } from '../../errors.ts';

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
