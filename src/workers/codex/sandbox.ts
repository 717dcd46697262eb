import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Sandbox } from '../worker.ts';
import { setting } from './lean.ts';
import type { CodexSetup } from './setup.ts';

/** Our permission profile's name; the worker's shell sees it as CODEX_PERMISSION_PROFILE. */
const PROFILE = 'rlm';

/**
 * What the shell of a worker may touch, as arguments of `codex exec`.
 *
 * With permission profiles (0.169 has them) exactly the given directories are writable, not the working
 * directory nor /tmp, and the login file cannot be read. Before them, `workspace-write` also opens the working
 * directory. Codex makes directories writable only: a path that is none stands for the directory it lies in.
 *
 * @param temporary a directory for the shell's own temporary files, writable where anything is
 */
export function sandboxArguments(
  setup: CodexSetup,
  sandbox: Sandbox,
  temporary: string | undefined,
): string[] {
  const writable =
    sandbox.mode === 'read-only'
      ? []
      : [...sandbox.writable.map(directoryOf), ...(temporary === undefined ? [] : [temporary])];
  if (setup.capabilities.permissionProfiles) {
    const login = join(setup.home.path, 'auth.json');
    const access: [string, string][] = [
      [':root', 'read'],
      ...writable.map((path): [string, string] => [path, 'write']),
      ...(existsSync(login) ? [[realpathSync(login), 'none'] satisfies [string, string]] : []),
    ];
    return [
      ...setting('default_permissions', PROFILE),
      '-c',
      `permissions.${PROFILE}.filesystem={${access.map((pair) => pair.map((part) => JSON.stringify(part)).join('=')).join(',')}}`,
    ];
  }
  if (sandbox.mode === 'read-only') return ['--sandbox', 'read-only'];
  return [
    '--sandbox',
    'workspace-write',
    ...setting('sandbox_workspace_write.writable_roots', writable),
    ...setting('sandbox_workspace_write.network_access', false),
    ...setting('sandbox_workspace_write.exclude_slash_tmp', true),
    ...setting('sandbox_workspace_write.exclude_tmpdir_env_var', true),
  ];
}

function directoryOf(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? path : dirname(path);
}
