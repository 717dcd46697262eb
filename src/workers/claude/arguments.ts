import { statSync } from 'node:fs';
import { type WorkRequest, writablePaths } from '../worker.ts';
import type { ClaudeCapabilities } from './binary.ts';
import type { ClaudeLogin } from './login.ts';
import { withoutBounds } from './schema.ts';

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
    // Events as they come: silence then means silence, and the reset of a used-up allowance is told exactly.
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
  const directories = writable.filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory());
  return [
    ...['--tools', [...READ_TOOLS, ...skill, ...writing, ...shell].join(',')],
    ...['--allowedTools', ...READ_TOOLS, ...skill, ...shell, ...rules],
    ...['--permission-mode', 'dontAsk'],
    ...(directories.length === 0 ? [] : ['--add-dir', ...directories]),
  ];
}
