import { statSync } from 'node:fs';
import { workerEnvironment } from '../../processes/index.ts';
import { askProgram } from '../probe.ts';
import { hasNetwork, readOnlyPaths, type Sandbox, type WorkRequest, writablePaths } from '../worker.ts';
import type { ClaudeCapabilities, ClaudeLogin } from './installation.ts';

/** Linux takes no longer argument (128 KiB with its end), whatever the rest; bytes. */
export const MAX_ARGUMENT_BYTES = 128 * 1024 - 1;

const EFFORTS = new Set(['low', 'medium', 'high', 'xhigh', 'max']);
const READ_TOOLS = ['Read', 'Grep', 'Glob'];

/**
 * The arguments of one call; the input comes on stdin, because flags with lists swallow what follows them.
 *
 * `--bare` is the leanest form, but it reads no login of an account: then everything it would leave out is
 * switched off one by one. So it is with tools, of which `--bare` leaves out Write.
 *
 * @param plugin directory of a plugin with the skills of workers that write; it is offered to those alone
 * @param confined arguments that confine a shell; without them there is none
 */
export function claudeArguments(
  request: WorkRequest,
  { flags }: ClaudeCapabilities,
  login: ClaudeLogin,
  plugin?: string,
  confined?: readonly string[],
): string[] {
  const known = (flag: string, ...values: string[]) => (flags.includes(flag) ? [flag, ...values] : []);
  const lean =
    login === 'key' && !request.tools && flags.includes('--bare')
      ? ['--bare']
      : [...known('--setting-sources', ''), ...known('--strict-mcp-config')];
  const writes = request.tools && writablePaths(request.sandbox).length > 0;
  const skills = writes && flags.includes('--plugin-dir') ? plugin : undefined;
  return [
    '-p',
    ...lean,
    ...known('--no-session-persistence'),
    ...(skills === undefined ? known('--disable-slash-commands') : ['--plugin-dir', skills]),
    // Events as they come: silence then means silence, and the reset of a used-up allowance is exact.
    '--output-format',
    'stream-json',
    '--verbose',
    ...(request.instructions === '' ? [] : ['--system-prompt', request.instructions]),
    ...(request.schema === undefined
      ? []
      : ['--json-schema', JSON.stringify(withoutBounds(request.schema.value))]),
    ...(request.model === null ? [] : ['--model', request.model]),
    ...effort(request.effort, known),
    ...(confined ?? []),
    ...toolArguments(request, skills === undefined ? [] : ['Skill'], confined === undefined ? [] : ['Bash']),
  ];
}

function effort(wanted: string | null, known: (flag: string, value: string) => string[]): string[] {
  // Codex's lowest is called otherwise.
  const level = wanted === 'minimal' || wanted === 'none' ? 'low' : wanted;
  return level !== null && EFFORTS.has(level) ? known('--effort', level) : [];
}

/**
 * No tools, or those that read, or those that write the given paths too. Nobody is there to be asked: what is not
 * allowed beforehand is denied.
 */
function toolArguments(
  { tools, sandbox }: WorkRequest,
  skill: readonly string[],
  shell: readonly string[],
): string[] {
  if (!tools) return ['--tools', ''];
  const writable = writablePaths(sandbox);
  const writing = writable.length > 0 ? ['Edit', 'Write'] : [];
  const rules = writable.flatMap((path) => [`Edit(/${path})`, `Edit(/${path}/**)`]);
  const denied = readOnlyPaths(sandbox).flatMap((path) => [`Edit(/${path})`, `Edit(/${path}/**)`]);
  const directories = writable.filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory());
  return [
    ...['--tools', [...READ_TOOLS, ...skill, ...writing, ...shell].join(',')],
    ...['--allowedTools', ...READ_TOOLS, ...skill, ...shell, ...rules],
    ...(denied.length === 0 ? [] : ['--disallowedTools', ...denied]),
    ...['--permission-mode', 'dontAsk'],
    ...(directories.length === 0 ? [] : ['--add-dir', ...directories]),
  ];
}

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
      const { exitCode } = await askProgram(file, args, { env: workerEnvironment({}, source) });
      if (exitCode !== 0) return false;
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
 * @param base where relative paths of the task start, which the worker learns
 * @param loginVariables names that the shell does not see
 */
export function shellArguments(access: Sandbox, base: string, loginVariables: readonly string[]): string[] {
  const sandbox = {
    enabled: true,
    failIfUnavailable: true,
    allowUnsandboxedCommands: false,
    autoAllowBashIfSandboxed: true,
    // Two slashes: one would start at the settings.
    filesystem: {
      allowWrite: writablePaths(access).map((path) => `/${path}`),
      denyWrite: readOnlyPaths(access).map((path) => `/${path}`),
    },
    ...(hasNetwork(access) ? { network: { allowedDomains: ['*'] } } : {}),
    credentials: { envVars: loginVariables.map((name) => ({ name, mode: 'deny' })) },
  };
  return [
    '--settings',
    JSON.stringify({ sandbox }),
    '--append-system-prompt',
    `Relative paths in the task start at ${base}, which is not your working directory.`,
  ];
}

/** Bounds that the model gets in words instead. */
const BOUNDS: Readonly<Record<string, (value: unknown) => string>> = {
  minLength: (value) => (Number(value) > 1 ? `at least ${value} characters` : 'not empty'),
  maxLength: (value) => `at most ${value} characters`,
  minItems: (value) => `at least ${value} items`,
  maxItems: (value) => `at most ${value} items`,
  pattern: (value) => `matching ${value}`,
};
/** Keywords whose values are maps from names to schemas: a property called `pattern` is no bound. */
const MAPS = new Set(['properties', '$defs', 'definitions', 'patternProperties']);
/** Claude Code's validator knows no dialect by name: it ends with `no schema with key or ref "https://json-schema…"`. */
const NAMES = new Set(['$schema', '$id']);
const NOT_SCHEMAS = new Set(['enum', 'const', 'default', 'examples', 'required']);

/**
 * A schema without its dialect, and without bounds on lengths, which stand in the descriptions instead. Claude Code refuses an answer
 * whose summary is one character too long; the flow cuts such a one and keeps it. The flow
 * checks the whole schema afterwards.
 */
function withoutBounds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutBounds);
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept: Record<string, unknown> = {};
  const said: string[] = [];
  for (const [key, value] of Object.entries(schema)) {
    const describe = BOUNDS[key];
    if (NAMES.has(key)) continue;
    if (describe !== undefined) said.push(describe(value));
    else if (NOT_SCHEMAS.has(key)) kept[key] = value;
    else if (MAPS.has(key) && typeof value === 'object' && value !== null)
      kept[key] = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutBounds(one)]));
    else kept[key] = withoutBounds(value);
  }
  if (said.length === 0) return kept;
  const description = typeof kept.description === 'string' ? `${kept.description}; ` : '';
  return { ...kept, description: `${description}${said.join(', ')}` };
}
