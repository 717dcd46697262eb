import { type Config, ConfigFile, loadConfig } from '../config/index.ts';
import { configPath } from '../contracts/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { fail, ok } from './finding.ts';
import type { Finding, Setting } from './report.ts';

/** Variables that change what runs; none of them holds a secret. */
const VARIABLES = [
  'RLM_ROOT',
  'RLM_CODEX',
  'RLM_CLAUDE',
  'RLM_DEPTH',
  'CODEX_SUBAGENT_MODEL',
  'CODEX_SUBAGENT_PROFILE',
  'CODEX_SUBAGENT_CODEX_HOME',
  'CODEX_SUBAGENT_CWD',
];
/** A report is under 8 kB: so many settings are named, the rest counted. */
const MAX_SETTINGS = 20;
const MAX_VALUE = 80;

/** Reads the configuration; one that is not valid is a finding, and the defaults stand in for it. */
export function checkSettings(
  root: string,
  env: NodeJS.ProcessEnv,
): { finding: Finding; settings: Setting[]; config: Config } {
  const check = 'configuration';
  const path = configPath(root);
  const fromEnvironment = VARIABLES.flatMap((key) =>
    env[key] ? [setting(key, env[key], 'environment')] : [],
  );
  try {
    const { values, origin } = loadConfig(root);
    const fromFile = leaves(values)
      .filter(([key]) => origin(key) !== 'default')
      .map(([key, value]) => setting(key, value, origin(key)));
    const settings = [...fromFile, ...fromEnvironment];
    const detail = settings.length === 0 ? 'all defaults' : `${settings.length} settings are not the default`;
    const file = fromFile.length === 0 ? `no settings in ${path}` : `${path} is valid`;
    return {
      finding: ok(check, `${detail}; ${file}`),
      settings: settings.slice(0, MAX_SETTINGS),
      config: values,
    };
  } catch (error) {
    const fix = error instanceof RlmError ? error.hint.text : `Look at ${path}.`;
    return {
      finding: fail(check, messageOf(error).replaceAll(/\s+/g, ' '), fix),
      settings: fromEnvironment,
      config: ConfigFile.parse({}),
    };
  }
}

/** Dotted keys and values, as `origin` takes them. Lists are values. */
function leaves(value: object, above = ''): [string, unknown][] {
  return Object.entries(value).flatMap(([name, inner]): [string, unknown][] =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? leaves(inner, `${above}${name}.`)
      : [[`${above}${name}`, inner]],
  );
}

function setting(key: string, value: unknown, origin: string): Setting {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { key, value: text.slice(0, MAX_VALUE), origin };
}
