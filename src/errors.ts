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

/** The one error that is meant to be read. `hint` says what to do next. */
export class RlmError extends Error {
  override readonly name = 'RlmError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? false;
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
};

/** A refusal of the system, which somebody can fix, as an error of ours; anything else as it is. */
export function asReadable(error: unknown): unknown {
  if (error instanceof RlmError) return error;
  const hint = SYSTEM_HINTS[systemCode(error) ?? ''];
  return hint === undefined
    ? error
    : new RlmError('unavailable', messageOf(error), { hint, retryable: true, cause: error });
}
