import { accessSync, constants, lstatSync, statfsSync } from 'node:fs';
import { type Config, ConfigFile, loadConfig } from '../config/index.ts';
import { configPath, stateDirectory } from '../contracts/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { type Finding, fail, ok, type Setting, warn } from './report.ts';

/** `engines` of package.json. */
const NODE_MINIMUM = [20, 19] as const;
/** A run of ten thousand jobs keeps a few hundred megabytes of prompts and logs. */
const DISK_WARN_BYTES = 2e9;
const DISK_FAIL_BYTES = 1e8;

/** What the machine gives: Node, disk, a place for `.rlm/`. */
export function checkMachine(root: string): Finding[] {
  return [checkNode(process.versions.node), checkState(root), checkDisk(root)];
}

/** @param version such as `20.19.0` */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [needMajor, needMinor] = NODE_MINIMUM;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return ok('node', version);
  return fail('node', `${version} is too old`, `Install Node ${needMajor}.${needMinor} or later.`);
}

function checkState(root: string): Finding {
  const check = 'state';
  const directory = stateDirectory(root);
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink())
    return fail(check, `${directory} is a symlink`, 'Put a directory in its place.');
  if (stat !== undefined && !stat.isDirectory()) {
    return fail(check, `${directory} is not a directory`, 'Move it away: all state is kept there.');
  }
  try {
    accessSync(stat === undefined ? root : directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    return fail(
      check,
      `${directory} cannot be written: ${messageOf(error)}`,
      'Fix its mode, or choose another root.',
    );
  }
  return ok(check, stat === undefined ? `${directory} will be made` : `${directory} is writable`);
}

function checkDisk(root: string): Finding {
  const { bavail, bsize } = statfsSync(root);
  const free = bavail * bsize;
  const detail = `${(free / 1e9).toFixed(1)} GB free`;
  const fix = 'Free some, or move the root: rlm cleanup shows which archives may go.';
  if (free < DISK_FAIL_BYTES) return fail('disk', detail, fix);
  return free < DISK_WARN_BYTES ? warn('disk', detail, fix) : ok('disk', detail);
}

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

/** Reads the configuration; one that is not valid is a finding, and the defaults serve instead. */
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
