import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { z } from 'zod';
import { RlmError } from '../../errors.ts';
import { workerEnvironment } from '../environment.ts';
import { harmless } from '../printed.ts';
import { askProgram, probeCached } from '../probe.ts';

/** Names the `claude` to use when it is not the one on PATH. */
const CLAUDE_VARIABLE = 'RLM_CLAUDE';

/**
 * Finds Claude Code: `explicit`, else `RLM_CLAUDE`, else `claude` on PATH.
 *
 * @throws RlmError `unavailable` when there is none
 */
export function findClaude(explicit: string | undefined, env: NodeJS.ProcessEnv): string {
  const named = explicit ?? env[CLAUDE_VARIABLE];
  const found = named ? [resolve(named)].find(isProgram) : onPath(env);
  if (found !== undefined) return found;
  throw new RlmError('unavailable', named ? `no program at ${named}` : 'no claude on PATH', {
    hint: `Install it with 'npm install -g @anthropic-ai/claude-code', or name it in ${CLAUDE_VARIABLE}.`,
  });
}

function onPath(env: NodeJS.ProcessEnv): string | undefined {
  const names = process.platform === 'win32' ? ['claude.exe', 'claude.cmd'] : ['claude'];
  return (env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => directory !== '')
    .flatMap((directory) => names.map((name) => join(directory, name)))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const ClaudeCapabilities = z.object({
  version: z.string(),
  /** Long flags it knows, such as `--bare`. */
  flags: z.array(z.string()),
});
export type ClaudeCapabilities = z.infer<typeof ClaudeCapabilities>;

const NEEDED_FLAGS = ['--json-schema', '--output-format', '--system-prompt', '--tools', '--verbose'];

/**
 * Asks the installed Claude Code for its version and flags, once per installed version.
 *
 * @throws RlmError `unavailable` when it does not run, or is too old
 */
export function probeClaude(
  binary: string,
  cacheDir: string,
  source: NodeJS.ProcessEnv,
): Promise<ClaudeCapabilities> {
  return probeCached(cacheDir, binary, ClaudeCapabilities, async () => {
    const env = workerEnvironment({ values: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' } }, source);
    const [version, help] = await Promise.all([
      askProgram(binary, ['--version'], { env }),
      askProgram(binary, ['--help'], { env }),
    ]);
    const number = /\d+\.\d+\.\d+\S*/.exec(version.stdout)?.[0];
    if (number === undefined) {
      throw new RlmError('unavailable', `${binary} --version says '${harmless(version.stdout, 200)}'`, {
        hint: `That is not Claude Code; name the right one in ${CLAUDE_VARIABLE}.`,
      });
    }
    const flags = [...new Set(help.stdout.match(/--[a-z][a-zA-Z-]+/g) ?? [])].sort();
    const missing = NEEDED_FLAGS.filter((flag) => !flags.includes(flag));
    if (missing.length > 0) {
      throw new RlmError('unavailable', `claude ${number} does not know ${missing.join(', ')}`, {
        hint: 'Update it: claude update, or npm install -g @anthropic-ai/claude-code.',
      });
    }
    return { version: number, flags };
  });
}
