import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'smol-toml';
import { z } from 'zod';
import { workersDirectory } from '../../contracts/index.ts';
import { messageOf, RlmError, systemCode } from '../../errors.ts';
import { ensureDirectory, writeFileAtomic } from '../../files/index.ts';
import { oneLine, sha256 } from '../../text/index.ts';
import { installSkills, type PackageSkill, workerSkills } from '../skills.ts';
import { setting } from './arguments.ts';

/** Where Codex workers live, and what of the user's own set-up they need from the environment and argv. */
export interface CodexHome {
  /** Becomes `CODEX_HOME`. */
  path: string;
  /** Environment variables that hold the login. */
  loginVariables: string[];
  login: CodexLogin;
  /** Arguments that every call in this home needs: no retries of Codex's own, and nothing of the user's set-up. */
  arguments: string[];
  /** Whether it is the user's own or a given one: then more than a login is in it. */
  foreign: boolean;
  /** Skills of workers that are not installed there, and go with a call instead: a home that is not ours is not written to. */
  missingSkills: PackageSkill[];
  /** Changes with every setting that may decide an answer: who answers, and the profile. */
  identity: string;
}

/** Keys of the user's config.toml that say who answers and how one logs in; nothing else is carried over. */
const PROVIDER_KEYS = [
  'model_provider',
  'model_providers',
  'model_catalog_json',
  'oss_provider',
  'openai_base_url',
  'chatgpt_base_url',
  'forced_login_method',
  'forced_chatgpt_workspace_id',
  'cli_auth_credentials_store',
];

/**
 * Variables of the environment that hold a login, or say where the model is. Codex logs in with OPENAI_API_KEY only
 * where a provider names it as its `env_key` (measured with 0.169).
 */
const LOGIN_VARIABLES = [
  'OPENAI_BASE_URL',
  'OPENAI_ORGANIZATION',
  'OPENAI_PROJECT',
  'CODEX_API_KEY',
  'CODEX_ACCESS_TOKEN',
];

/** The profile of a lean worker: a small model, little effort, short output, no project files, no history. */
const WORKER_PROFILE = {
  model: 'gpt-5.3-codex-spark',
  model_reasoning_effort: 'minimal',
  model_reasoning_summary: 'none',
  model_verbosity: 'low',
  web_search: 'disabled',
  tool_output_token_limit: 1500,
  project_doc_max_bytes: 0,
  project_root_markers: [],
  hide_agent_reasoning: true,
  history: { persistence: 'none' },
};

/**
 * Prepares the home of Codex workers.
 *
 * With `codex_home` that directory is used as it is, created when missing, and never written to. Without it a
 * lean one is made under `<root>/.rlm/workers/codex-home/`, named by its content, so that any number of
 * processes may make it at once and none changes under a running worker. In a home that is not ours the user's MCP
 * servers, `notify` and developer instructions are switched off by arguments; its AGENTS.md cannot be. The login file is linked, not copied:
 * Codex renews it in place. A login in the system's keyring belongs to one home, so then the user's own is used.
 *
 * @throws RlmError `usage` when the user's config.toml is not valid TOML or the profile does not exist, which
 *   Codex itself would silently ignore
 */
export function prepareHome(options: {
  root: string;
  codex_home?: string | undefined;
  profile?: string | undefined;
  env: NodeJS.ProcessEnv;
}): CodexHome {
  const { root, codex_home: codexHome, profile, env } = options;
  const userHome = userCodexHome(env);
  const given = codexHome === undefined ? undefined : resolve(codexHome);
  if (given !== undefined) ensureDirectory(given);
  const source = given ?? userHome;
  const config = readUserConfig(source);
  const profileFile = profile === undefined ? undefined : findProfile(source, profile);
  const lean = given === undefined && config.cli_auth_credentials_store !== 'keyring';
  const text = lean ? leanConfig(config) : JSON.stringify(config);
  const home = {
    identity: digest([text, profileFile === undefined ? '' : readFileSync(profileFile, 'utf8')]),
    login: loginOf(config, source, env),
    loginVariables: [...LOGIN_VARIABLES, ...providerVariables(config)],
    foreign: !lean,
    arguments: [
      ...retryArguments(config),
      ...(profileFile === undefined ? [] : disableServers(mcpServersOf(profileFile))),
      ...(lean && profileFile === undefined ? [] : NO_SET_UP),
    ],
  };
  const skills = workerSkills();
  if (!lean) {
    const missingSkills = skills.filter(({ name }) => !existsSync(join(source, 'skills', name, 'SKILL.md')));
    return { ...home, path: source, missingSkills };
  }

  const links = [
    { name: 'auth.json', target: join(userHome, 'auth.json') },
    ...(profileFile === undefined ? [] : [{ name: `${profile}.config.toml`, target: profileFile }]),
  ].filter((link) => existsSync(link.target));
  const path = join(workersDirectory(resolve(root)), 'codex-home', digest([text, links, skills]));
  ensureDirectory(path);
  installSkills(join(path, 'skills'), skills);
  if (!existsSync(join(path, 'config.toml'))) writeFileAtomic(join(path, 'config.toml'), text);
  for (const link of links) linkOnce(link.target, join(path, link.name));
  return { ...home, path, missingSkills: [] };
}

/**
 * Writes the stable prefix of a flow as a file, once, and returns its path. Named by its content.
 */
export function instructionsFile(root: string, instructions: string): string {
  const directory = join(workersDirectory(resolve(root)), 'instructions');
  const name = sha256(instructions).slice(0, 24);
  const path = join(directory, `${name}.md`);
  if (!existsSync(path)) {
    ensureDirectory(directory);
    writeFileAtomic(path, instructions);
  }
  return path;
}

/** The worker profile over what is carried from the user's own configuration. */
function leanConfig(config: UserConfig): string {
  const carried = PROVIDER_KEYS.flatMap((key) => (config[key] === undefined ? [] : [[key, config[key]]]));
  return stringify({ ...WORKER_PROFILE, ...Object.fromEntries(carried) });
}

/** What else of a user's set-up would start programs or speak to the model. */
const NO_SET_UP = [...setting('notify', []), ...setting('developer_instructions', '')];

/**
 * Switches off MCP servers by name: tables of settings merge, so an empty one would not.
 *
 * @throws RlmError `usage` for a name that `-c` cannot write: a worker would have its tools
 */
export function disableServers(names: readonly string[]): string[] {
  return names.flatMap((name) => {
    if (/^[\w-]+$/.test(name)) return setting(`mcp_servers.${name}.enabled`, false);
    throw new RlmError(
      'usage',
      `the MCP server '${oneLine(name, 80)}' of your Codex cannot be kept from workers`,
      {
        hint: 'Rename it to letters, digits, - and _, disable it in its config.toml, or use another --codex-home.',
      },
    );
  });
}

function mcpServersOf(configFile: string): string[] {
  const { mcp_servers } = WithServers.parse(readToml(configFile));
  return Object.entries(mcp_servers ?? {}).flatMap(([name, { enabled }]) =>
    enabled === false ? [] : [name],
  );
}

const WithServers = z.looseObject({
  mcp_servers: z.record(z.string(), z.looseObject({ enabled: z.boolean().optional() })).optional(),
});

/**
 * Switches off Codex's own retries, where it lets us: only `dispatch/` retries. It does not for OpenAI's own
 * provider, whose Retry-After it then obeys itself; of another's it says no more than `last status: 429`
 * (measured with 0.169).
 */
function retryArguments(config: UserConfig): string[] {
  return (
    Object.keys(config.model_providers ?? {})
      // A dotted path is all that -c takes: an id with a dot cannot be reached.
      .filter((id) => /^[\w-]+$/.test(id))
      .flatMap((id) => [
        ...setting(`model_providers.${id}.request_max_retries`, 0),
        ...setting(`model_providers.${id}.stream_max_retries`, 0),
      ])
  );
}

function digest(value: unknown): string {
  return sha256(JSON.stringify(value)).slice(0, 12);
}

function providerVariables(config: UserConfig): string[] {
  return Object.values(config.model_providers ?? {}).flatMap((provider) => [
    ...(provider.env_key === undefined ? [] : [provider.env_key]),
    ...Object.values(provider.env_http_headers ?? {}),
  ]);
}

function findProfile(home: string, profile: string): string {
  if (!/^[\w-]+$/.test(profile)) {
    throw new RlmError('usage', `'${profile}' is no profile name`, { hint: 'Use letters, digits, - and _.' });
  }
  const path = join(home, `${profile}.config.toml`);
  if (!existsSync(path)) {
    throw new RlmError('usage', `there is no profile '${profile}': ${path} does not exist`, {
      hint: 'Codex reads a profile from that file, with top-level keys; [profiles.*] tables are no longer read.',
    });
  }
  return path;
}

function linkOnce(target: string, path: string): void {
  try {
    symlinkSync(target, path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

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

const TOKEN_VARIABLES = ['CODEX_API_KEY', 'CODEX_ACCESS_TOKEN'];

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
type UserConfig = z.infer<typeof UserConfig>;

/** The user's own home of Codex. */
function userCodexHome(env: NodeJS.ProcessEnv): string {
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
function loginOf(config: UserConfig, home: string, env: NodeJS.ProcessEnv): CodexLogin {
  const name = config.model_provider ?? '';
  const provider = config.model_providers?.[name];
  if (provider !== undefined && provider.requires_openai_auth !== true) {
    const variable = provider.env_key;
    if (variable === undefined) return { kind: 'not needed', where: `the provider '${name}' needs none` };
    return env[variable]
      ? { kind: 'provider variable', where: `environment variable ${variable}` }
      : { kind: 'none', where: `environment variable ${variable} is not set` };
  }
  const variable = TOKEN_VARIABLES.find((one) => env[one]);
  if (variable !== undefined) return { kind: 'variable', where: `environment variable ${variable}` };
  const file = join(home, 'auth.json');
  if (existsSync(file)) return { kind: 'file', where: `login file ${file}` };
  return config.cli_auth_credentials_store === 'keyring'
    ? { kind: 'keyring', where: "the system's keyring" }
    : { kind: 'none', where: 'not logged in' };
}

/** @throws RlmError `usage` when config.toml is not valid */
function readUserConfig(home: string): UserConfig {
  return UserConfig.parse(readToml(join(home, 'config.toml')));
}

/** Settings in a file; none when there is no such file. @throws RlmError `usage` when it is not valid */
function readToml(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {};
    throw error;
  }
  try {
    return parse(text);
  } catch (error) {
    // A parser quotes the line it stumbled over, which may hold a token: only its first line is passed on.
    throw new RlmError('usage', `${path} is not valid: ${messageOf(error).split('\n')[0]}`, {
      hint: 'Fix it, name another home with --codex-home, or another worker with --worker.',
    });
  }
}
