import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface IsolatedCodex {
  /** Nothing of the machine's own user in it: HOME and CODEX_HOME are the test's. */
  env: NodeJS.ProcessEnv;
  home: string;
  codexHome: string;
}

/** What the login file of an isolated home holds; it must never turn up anywhere else. */
export const SECRET_LOGIN = 'sk-test-login-that-nobody-may-see';

/**
 * A user of Codex under `directory` whose provider is the model server at `url`. `codex` on its PATH is the
 * real one from `node_modules`, through npm's wrapper.
 */
export function isolatedCodex(
  directory: string,
  url: string,
  options: { configuration?: string; login?: boolean } = {},
): IsolatedCodex {
  const home = join(directory, 'home');
  const codexHome = join(home, '.codex');
  mkdirSync(codexHome, { recursive: true, mode: 0o700 });
  writeFileSync(join(codexHome, 'config.toml'), `${fakeProvider(url, options)}`);
  if (options.login) {
    writeFileSync(join(codexHome, 'auth.json'), JSON.stringify({ OPENAI_API_KEY: SECRET_LOGIN }), {
      mode: 0o600,
    });
  }
  const binaries = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));
  return {
    env: { HOME: home, CODEX_HOME: codexHome, PATH: binaries + delimiter + (process.env.PATH ?? '') },
    home,
    codexHome,
  };
}

/**
 * TOML of a provider that speaks the Responses API at `url`, and of nothing that would look for a network.
 *
 * @param options.configuration further keys and tables of the user's own
 */
export function fakeProvider(url: string, options: { configuration?: string; login?: boolean } = {}): string {
  return `model_provider = "fake"
${options.configuration ?? ''}
[model_providers.fake]
name = "fake"
base_url = "${url}/v1"
wire_api = "responses"
requires_openai_auth = ${options.login ?? false}
supports_websockets = false
[analytics]
enabled = false
[features]
plugins = false
`;
}
