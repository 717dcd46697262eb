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
