import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stateDirectory } from '../../contracts/index.ts';
import { isInside } from '../../files/index.ts';
import { hasNetwork, readOnlyPaths, type Sandbox, writablePaths } from '../worker.ts';
import type { CodexCapabilities } from './installation.ts';

/*
 * What a worker that answers one question about one chunk does not need. Measured with 0.169: the
 * request before the chunk falls from 39 kB to 1.1 kB plus our instructions and schema.
 */

/** Features that no worker uses. `unbounded_connection_retries` would keep a job without a network for ever. */
const UNUSED_FEATURES = [
  'unbounded_connection_retries',
  'plugins',
  'apps',
  'hooks',
  'goals',
  'memories',
  'multi_agent',
  'multi_agent_v2',
  'shell_snapshot',
  'skill_search',
  'tool_suggest',
  'image_generation',
  'view_image',
  'browser_use',
  'computer_use',
];
/** Features that only a worker with tools uses. */
const TOOL_FEATURES = ['shell_tool', 'unified_exec'];

const SETTINGS: Readonly<Record<string, unknown>> = {
  'analytics.enabled': false,
  'history.persistence': 'none',
  web_search: 'disabled',
  project_doc_max_bytes: 0,
  project_root_markers: [],
  'skills.bundled.enabled': false,
  'tools.experimental_request_user_input.enabled': false,
  'tools.update_plan.enabled': false,
  include_apps_instructions: false,
  include_collaboration_mode_instructions: false,
};
/** What tells a model with a shell where it is and what it may do; noise for one without. */
const TOOL_SETTINGS: Readonly<Record<string, unknown>> = {
  include_permissions_instructions: false,
  include_environment_context: false,
  'skills.include_instructions': false,
};

/**
 * The lean profile as arguments, which beat every file: so it holds in a home that is not ours, and nothing
 * in that home is touched. Only features that this version knows are named; it dies of an unknown one.
 */
export function leanArguments(capabilities: CodexCapabilities, tools: boolean): string[] {
  const features = tools ? UNUSED_FEATURES : [...UNUSED_FEATURES, ...TOOL_FEATURES];
  const settings = tools ? SETTINGS : { ...SETTINGS, ...TOOL_SETTINGS };
  return [
    ...features
      .filter((feature) => capabilities.features.includes(feature))
      .flatMap((feature) => ['--disable', feature]),
    ...Object.entries(settings).flatMap(([key, value]) => setting(key, value)),
  ];
}

/** One `-c key=value`. JSON is valid TOML for strings, numbers, booleans and lists of them. */
export function setting(key: string, value: unknown): string[] {
  return ['-c', `${key}=${JSON.stringify(value)}`];
}

/** Our permission profile's name; the worker's shell sees it as CODEX_PERMISSION_PROFILE. */
const PROFILE = 'rlm';

/**
 * What the shell of a worker may touch, as arguments of `codex exec`.
 *
 * With permission profiles (0.169 has them) exactly the given directories are writable, not the working
 * directory nor /tmp, and the login file cannot be read. Before them, `workspace-write` also opens the working
 * directory. Codex makes directories writable only: for any other path its directory is opened, where
 * then new files may be made too; what is there already stays read-only.
 *
 * @param temporary a directory for the shell's own temporary files, writable where anything is
 */
export function sandboxArguments(
  setup: { root: string; home: { path: string }; capabilities: CodexCapabilities },
  sandbox: Sandbox,
  temporary: string | undefined,
): string[] {
  const paths = writablePaths(sandbox);
  const writable = paths.map(directoryOf);
  if (writable.length > 0 && temporary !== undefined) writable.push(temporary);
  if (setup.capabilities.permissionProfiles) {
    const state = stateDirectory(setup.root);
    const login = join(setup.home.path, 'auth.json');
    // A table takes a key once.
    const access = new Map<string, string>([
      [':root', 'read'],
      ...writable.map((path): [string, string] => [path, 'write']),
      // The narrower path decides.
      ...neighbours(paths, writable).map((path): [string, string] => [path, 'read']),
      ...(writable.some((path) => isInside(path, state)) ? [[state, 'read'] satisfies [string, string]] : []),
      ...readOnlyPaths(sandbox).map((path): [string, string] => [path, 'read']),
      ...(existsSync(login) ? [[realpathSync(login), 'none'] satisfies [string, string]] : []),
    ]);
    return [
      ...setting('default_permissions', PROFILE),
      '-c',
      `permissions.${PROFILE}.filesystem={${[...access].map((pair) => pair.map((part) => JSON.stringify(part)).join('=')).join(',')}}`,
      ...(hasNetwork(sandbox) ? setting(`permissions.${PROFILE}.network.enabled`, true) : []),
    ];
  }
  if (writable.length === 0) return ['--sandbox', 'read-only'];
  return [
    '--sandbox',
    'workspace-write',
    ...setting('sandbox_workspace_write.writable_roots', writable),
    ...setting('sandbox_workspace_write.network_access', hasNetwork(sandbox)),
    ...setting('sandbox_workspace_write.exclude_slash_tmp', true),
    ...setting('sandbox_workspace_write.exclude_tmpdir_env_var', true),
  ];
}

/** All of them are one argument, which has its limits: further ones are not kept read-only. Characters. */
const NEIGHBOURS_CHARS = 64_000;

/** What lies beside files that may be written, in the directories that are opened for them, and may not be written. */
function neighbours(paths: readonly string[], writable: readonly string[]): string[] {
  const given = new Set([...paths, ...writable]);
  const opened = new Set(paths.filter((path) => directoryOf(path) !== path).map(directoryOf));
  let left = NEIGHBOURS_CHARS;
  return [...opened]
    .filter((directory) => existsSync(directory))
    .flatMap((directory) =>
      readdirSync(directory, { withFileTypes: true })
        .filter((entry) => entry.isFile() || entry.isDirectory())
        .map((entry) => join(directory, entry.name)),
    )
    .filter((path) => {
      if (given.has(path)) return false;
      left -= path.length + 10;
      return left > 0;
    });
}

function directoryOf(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? path : dirname(path);
}
