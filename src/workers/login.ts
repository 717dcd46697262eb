import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'smol-toml';
import { z } from 'zod';

const Configured = z.looseObject({
  model_provider: z.string(),
  model_providers: z.record(
    z.string(),
    z.looseObject({ env_key: z.string().optional(), requires_openai_auth: z.boolean().optional() }),
  ),
});

/**
 * Where Codex's login is, in words, or undefined when it is not logged in as far as can be seen without asking.
 * Nothing of the login itself is read.
 *
 * @param codexHome the home that workers will use; the user's own when not given
 */
export function codexLogin(codexHome: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  for (const name of ['CODEX_API_KEY', 'CODEX_ACCESS_TOKEN']) if (env[name]) return name;
  const home = resolve(codexHome ?? (env.CODEX_HOME || join(env.HOME || homedir(), '.codex')));
  if (existsSync(join(home, 'auth.json'))) return join(home, 'auth.json');
  let config: unknown;
  try {
    config = parse(readFileSync(join(home, 'config.toml'), 'utf8'));
  } catch {
    return undefined;
  }
  if (Reflect.get(Object(config), 'cli_auth_credentials_store') === 'keyring') return "the system's keyring";
  const configured = Configured.safeParse(config);
  if (!configured.success) return undefined;
  const { model_provider: name, model_providers: providers } = configured.data;
  const provider = providers[name];
  if (provider === undefined || provider.requires_openai_auth === true) return undefined;
  return provider.env_key === undefined || env[provider.env_key] ? `the provider '${name}'` : undefined;
}
