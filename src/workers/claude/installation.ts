import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { z } from 'zod';
import { RlmError } from '../../errors.ts';
import { workerEnvironment } from '../../processes/index.ts';
import { oneLine } from '../../text/index.ts';
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
      throw new RlmError('unavailable', `${binary} --version says '${oneLine(version.stdout, 200)}'`, {
        hint: `That is not Claude Code; name the right one in ${CLAUDE_VARIABLE}.`,
      });
    }
    if (help.exitCode !== 0) {
      throw new RlmError('unavailable', `claude --help exited with code ${help.exitCode}`, {
        hint: 'Try again; if it fails again, run it by hand and reinstall the program.',
        retryable: true,
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

/**
 * How Claude logs in.
 *
 * - `key`: an API key or a cloud provider's own credentials, from the environment
 * - `token`: a long-lived token in `CLAUDE_CODE_OAUTH_TOKEN`
 * - `account`: the user's own login, in the user's own configuration directory
 * - `none`: not logged in, as far as can be seen without asking
 */
export type ClaudeLogin = 'key' | 'token' | 'account' | 'none';

/** Variables of the environment that hold a login or say where the model is. */
const LOGIN_VARIABLES = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_CUSTOM_HEADERS',
  'ANTHROPIC_DEFAULT_HAIKU_MODEL',
  'ANTHROPIC_DEFAULT_SONNET_MODEL',
  'ANTHROPIC_DEFAULT_OPUS_MODEL',
  'CLAUDE_CODE_OAUTH_TOKEN',
];

const PROVIDERS: readonly { switch: string; variables: readonly string[] }[] = [
  {
    switch: 'CLAUDE_CODE_USE_BEDROCK',
    variables: [
      'CLAUDE_CODE_SKIP_BEDROCK_AUTH',
      'ANTHROPIC_BEDROCK_BASE_URL',
      'AWS_REGION',
      'AWS_DEFAULT_REGION',
      'AWS_PROFILE',
      'AWS_CONFIG_FILE',
      'AWS_SHARED_CREDENTIALS_FILE',
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
      'AWS_BEARER_TOKEN_BEDROCK',
    ],
  },
  {
    switch: 'CLAUDE_CODE_USE_VERTEX',
    variables: [
      'CLAUDE_CODE_SKIP_VERTEX_AUTH',
      'ANTHROPIC_VERTEX_BASE_URL',
      'ANTHROPIC_VERTEX_PROJECT_ID',
      'CLOUD_ML_REGION',
      'GOOGLE_APPLICATION_CREDENTIALS',
      'GOOGLE_CLOUD_PROJECT',
    ],
  },
  {
    switch: 'CLAUDE_CODE_USE_FOUNDRY',
    variables: ['ANTHROPIC_FOUNDRY_API_KEY', 'ANTHROPIC_FOUNDRY_BASE_URL', 'ANTHROPIC_FOUNDRY_RESOURCE'],
  },
];

/** The login's variables; those of a cloud provider only when it is switched on. */
export function loginVariables(env: NodeJS.ProcessEnv): string[] {
  const used = PROVIDERS.filter((provider) => isOn(env[provider.switch]));
  return [...LOGIN_VARIABLES, ...used.flatMap((provider) => [provider.switch, ...provider.variables])];
}

/** Looks for a login without using it or printing it. */
export function findLogin(env: NodeJS.ProcessEnv): ClaudeLogin {
  if (PROVIDERS.some((provider) => isOn(env[provider.switch]))) return 'key';
  if (env.ANTHROPIC_API_KEY || env.ANTHROPIC_AUTH_TOKEN) return 'key';
  if (env.CLAUDE_CODE_OAUTH_TOKEN) return 'token';
  const home = env.HOME || homedir();
  const directory = userConfigDirectory(env);
  if (existsSync(join(directory, '.credentials.json'))) return 'account';
  // On macOS the login is in the keychain; the account it belongs to is in the settings.
  const settings = env.CLAUDE_CONFIG_DIR ? join(directory, '.claude.json') : join(home, '.claude.json');
  return process.platform === 'darwin' && namesAccount(settings) ? 'account' : 'none';
}

/** Where the user's own Claude Code keeps its login. */
function userConfigDirectory(env: NodeJS.ProcessEnv): string {
  return resolve(env.CLAUDE_CONFIG_DIR || join(env.HOME || homedir(), '.claude'));
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false', 'no', 'off'].includes(value.toLowerCase());
}

const WithAccount = z.looseObject({ oauthAccount: z.looseObject({}) });

function namesAccount(path: string): boolean {
  try {
    return WithAccount.safeParse(JSON.parse(readFileSync(path, 'utf8'))).success;
  } catch {
    return false;
  }
}
