/**
 * What went wrong, in words a person or a model can act on.
 *
 * - `usage`: the caller's input is wrong; exit code 1 on the command line.
 * - `not_found`: no such run, job, file or chunk.
 * - `conflict`: somebody else holds it, or the state does not allow it.
 * - `forbidden`: a path, id or symlink that tries to leave its root.
 * - `unavailable`: a worker, a binary or a feature that is not there.
 * - `limit`: a stated size, count or time would be passed.
 * - `corrupt`: a file of ours that does not say what it should.
 * - `internal`: our own fault.
 */
export type ErrorCode =
  | 'usage'
  | 'not_found'
  | 'conflict'
  | 'forbidden'
  | 'unavailable'
  | 'limit'
  | 'corrupt'
  | 'internal';

/** The tools, by name: what a next step or a hint may point at. `tools/` defines them. */
export type ToolName =
  | 'rlm_ask'
  | 'rlm_ingest'
  | 'rlm_search'
  | 'rlm_read'
  | 'rlm_build_jobs'
  | 'rlm_run_batch'
  | 'rlm_reduce_evidence'
  | 'rlm_plan'
  | 'rlm_run_ready'
  | 'rlm_spawn_worker'
  | 'rlm_refine'
  | 'rlm_reduce_inventory'
  | 'rlm_collect_deferred'
  | 'rlm_finalize'
  | 'rlm_status'
  | 'rlm_wait'
  | 'rlm_cancel'
  | 'rlm_resume'
  | 'rlm_archive'
  | 'rlm_cleanup'
  | 'rlm_doctor';

/** A call that would help, as data: MCP shows it as it is, the command line as a command that can be pasted. */
interface ToolAction {
  tool: ToolName;
  args: Record<string, unknown>;
}

/** What to do next, and why. */
export interface NextStep extends ToolAction {
  why: string;
}

/** What to do about an error. The text names no tool and no flag: `action` does, in each caller's own way. */
export interface Hint {
  text: string;
  action?: ToolAction;
}

/** A field that the caller must choose a value for; a person at a terminal, or at a client, can be asked. */
export interface Choices {
  field: string;
  question: string;
  options: Array<{ value: string; label: string }>;
}

/** What to do where an error does not say it itself. */
const DEFAULT_HINTS: Readonly<Record<ErrorCode, Hint>> = {
  usage: { text: 'Correct what the message names, and call again.' },
  not_found: { text: 'Check the name.', action: { tool: 'rlm_status', args: {} } },
  conflict: { text: 'Look at the state of the run first.', action: { tool: 'rlm_status', args: {} } },
  forbidden: { text: 'Name something inside the root, without symlinks.' },
  unavailable: { text: 'Check the installation.', action: { tool: 'rlm_doctor', args: {} } },
  limit: { text: 'Ask for less, or raise that limit.' },
  corrupt: { text: 'Look at the file: something else wrote it, or the disk lost part of it.' },
  internal: { text: 'This is a fault of rlm. Runs in the background are not affected.' },
};

/** The one error that is meant to be read. `hint` says what to do next. */
export class RlmError extends Error {
  override readonly name = 'RlmError';
  readonly code: ErrorCode;
  readonly hint: Hint;
  readonly retryable: boolean;
  /** The input field that is wrong, where one is. */
  readonly field: string | undefined;
  /** What it can be answered with, where that is known. */
  readonly choices: Choices | undefined;
  /** What a command ends with on this error. */
  readonly exitCode: number;
  readonly #said: string;

  /**
   * @param message what happened; after a `field` its predicate, such as `must be a positive number`
   * @param options.hint a string is a hint without an action
   */
  constructor(
    code: ErrorCode,
    message: string,
    options: {
      hint?: string | Hint | undefined;
      field?: string;
      retryable?: boolean;
      exitCode?: number;
      choices?: Choices | undefined;
      cause?: unknown;
    } = {},
  ) {
    const { hint = DEFAULT_HINTS[code], field, retryable = false, exitCode = 1, choices, cause } = options;
    super(field === undefined ? message : `${field} ${message}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = typeof hint === 'string' ? { text: hint } : hint;
    this.field = field;
    this.retryable = retryable;
    this.exitCode = exitCode;
    this.choices = choices;
    this.#said = message;
  }

  /** The message with its field named as the caller names it: `--run-id` or `run_id`. */
  messageFor(nameOf: (field: string) => string): string {
    return this.field === undefined ? this.message : `${nameOf(this.field)} ${this.#said}`;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node system error (`ENOENT`, …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What to do where the system refuses; its own words say what and where. */
const SYSTEM_HINTS: Readonly<Record<string, string>> = {
  EACCES: 'Check who may read and write there, or name another place.',
  EPERM: 'Check who may read and write there, or name another place.',
  EROFS: 'The file system is read-only: name another place.',
  ENOSPC: 'The disk is full: free some space, then try again.',
  EDQUOT: 'The disk quota is used up: free some space, then try again.',
  EMFILE: 'Too many files are open: raise the limit (ulimit -n), or run fewer workers at a time.',
  ENFILE: 'Too many files are open on this machine: try again later.',
  ENOTDIR: 'A file is where a directory is needed: move it away, or name another place.',
  EEXIST: 'A file is where a directory is needed: move it away, or name another place.',
  EISDIR: 'A directory is where a file is needed: move it away, or name another place.',
  ELOOP: 'Symlinks lead in a circle there: name another place.',
  ENAMETOOLONG: 'That name is too long for the file system: name another place.',
  ENOENT: 'It was removed in the meantime: look again, and name what is there.',
};

/** A refusal of the system, which somebody can fix, as an error of ours; anything else as it is. */
export function asReadable(error: unknown): unknown {
  if (error instanceof RlmError) return error;
  const hint = SYSTEM_HINTS[systemCode(error) ?? ''];
  return hint === undefined
    ? error
    : new RlmError(systemCode(error) === 'ENOENT' ? 'not_found' : 'unavailable', messageOf(error), {
        hint,
        retryable: true,
        cause: error,
      });
}
