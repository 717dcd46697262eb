import { statSync } from 'node:fs';
import { workerEnvironment } from '../environment.ts';
import { askProgram } from '../probe.ts';
import type { Sandbox } from '../worker.ts';
import type { ClaudeCapabilities } from './binary.ts';

/** Programs by which Claude Code confines a shell on Linux, each asked for something that needs what it needs. */
const LINUX_PROGRAMS: readonly (readonly [string, ...string[]])[] = [
  ['bwrap', '--unshare-user', '--unshare-net', '--dev-bind', '/', '/', 'true'],
  ['socat', '-V'],
];

/**
 * Whether Claude Code can confine a shell here: on macOS by itself, on Linux with bubblewrap and socat, where the
 * system lets an ordinary user make namespaces.
 */
export async function canConfineShell(
  { flags }: ClaudeCapabilities,
  source: NodeJS.ProcessEnv,
): Promise<boolean> {
  if (!['--settings', '--append-system-prompt'].every((flag) => flags.includes(flag))) return false;
  if (process.platform === 'darwin') return true;
  if (process.platform !== 'linux') return false;
  try {
    for (const [file, ...args] of LINUX_PROGRAMS) {
      const { end } = await askProgram(file, args, { env: workerEnvironment({}, source) });
      if (end.exitCode !== 0) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/**
 * The directory that a call with a shell starts in: one that it owns, because Claude Code lets a shell write all of
 * its working directory, and a path that is denied there is denied with everything below it. Undefined without one.
 */
export function shellDirectory(sandbox: Sandbox): string | undefined {
  if (sandbox.mode !== 'workspace-write') return undefined;
  return sandbox.writable.findLast((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory());
}

/**
 * Arguments that confine the shell of a call: it writes the given paths and a temporary directory, has no network,
 * does not see the login, and cannot ask for less.
 *
 * @param base where relative paths of the task start, as the worker is told
 * @param loginVariables names that the shell does not see
 */
export function shellArguments(
  writable: readonly string[],
  base: string,
  loginVariables: readonly string[],
): string[] {
  const sandbox = {
    enabled: true,
    failIfUnavailable: true,
    allowUnsandboxedCommands: false,
    autoAllowBashIfSandboxed: true,
    // Two slashes: one would start at the settings.
    filesystem: { allowWrite: writable.map((path) => `/${path}`) },
    credentials: { envVars: loginVariables.map((name) => ({ name, mode: 'deny' })) },
  };
  return [
    '--settings',
    JSON.stringify({ sandbox }),
    '--append-system-prompt',
    `Relative paths in the task start at ${base}, which is not your working directory.`,
  ];
}
