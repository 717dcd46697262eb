import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'smol-toml';
import { z } from 'zod';
import { messageOf, RlmError, systemCode } from '../../errors.ts';

/** How Codex logs in, as far as can be seen without asking; `where` says it in words, never the login itself. */
export interface CodexLogin {
  /**
   * - `variable`: CODEX_API_KEY, which `codex exec` takes and the app-server does not (neither takes
   *   OPENAI_API_KEY), or CODEX_ACCESS_TOKEN (measured with 0.169)
   * - `provider variable`: the `env_key` of a provider of the user's own
   * - `none`: a call would fail as `auth`
   */
  kind: 'file' | 'variable' | 'provider variable' | 'keyring' | 'not needed' | 'none';
  where: string;
}

const LOGIN_VARIABLES = ['CODEX_API_KEY', 'CODEX_ACCESS_TOKEN'];

const Provider = z.looseObject({
  requires_openai_auth: z.boolean().optional(),
  env_key: z.string().optional(),
  env_http_headers: z.record(z.string(), z.string()).optional(),
});
const UserConfig = z.looseObject({
  model_provider: z.string().optional(),
  cli_auth_credentials_store: z.string().optional(),
  model_providers: z.record(z.string(), Provider).optional(),
});
/** What of the user's config.toml says who answers and how one logs in. */
export type UserConfig = z.infer<typeof UserConfig>;

/** The user's own home of Codex. */
export function userCodexHome(env: NodeJS.ProcessEnv): string {
  return resolve(env.CODEX_HOME || join(env.HOME || homedir(), '.codex'));
}

/**
 * Looks for the login that workers would use. Nothing is written.
 *
 * @param codexHome the home that workers will use; the user's own when not given
 * @throws RlmError `usage` when its config.toml is not valid
 */
export function findCodexLogin(codexHome: string | undefined, env: NodeJS.ProcessEnv): CodexLogin {
  const home = codexHome === undefined ? userCodexHome(env) : resolve(codexHome);
  return loginOf(readUserConfig(home), home, env);
}

/** The login of a home whose configuration was read. */
export function loginOf(config: UserConfig, home: string, env: NodeJS.ProcessEnv): CodexLogin {
  const name = config.model_provider ?? '';
  const provider = config.model_providers?.[name];
  if (provider !== undefined && provider.requires_openai_auth !== true) {
    const variable = provider.env_key;
    if (variable === undefined) return { kind: 'not needed', where: `the provider '${name}' needs none` };
    return env[variable]
      ? { kind: 'provider variable', where: `environment variable ${variable}` }
      : { kind: 'none', where: `environment variable ${variable} is not set` };
  }
  const variable = LOGIN_VARIABLES.find((one) => env[one]);
  if (variable !== undefined) return { kind: 'variable', where: `environment variable ${variable}` };
  const file = join(home, 'auth.json');
  if (existsSync(file)) return { kind: 'file', where: `login file ${file}` };
  return config.cli_auth_credentials_store === 'keyring'
    ? { kind: 'keyring', where: "the system's keyring" }
    : { kind: 'none', where: 'not logged in' };
}

/** @throws RlmError `usage` when config.toml is not valid */
export function readUserConfig(home: string): UserConfig {
  const path = join(home, 'config.toml');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {};
    throw error;
  }
  try {
    return UserConfig.parse(parse(text));
  } catch (error) {
    // A parser quotes the line it stumbled over, which may hold a token: only its first line is passed on.
    throw new RlmError('usage', `${path} is not valid: ${messageOf(error).split('\n')[0]}`, {
      hint: 'Fix it, name another home with --codex-home, or another worker with --worker.',
    });
  }
}
