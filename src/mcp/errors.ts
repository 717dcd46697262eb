import { writeSync } from 'node:fs';
import { ErrorCode } from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';
import { RlmError } from '../errors.ts';
import { truncate } from '../text/index.ts';
import { VERSION } from '../version.ts';

/** The protocol's code for a resource that is not there. */
const RESOURCE_NOT_FOUND = -32002;
/** Longest message of an error, characters: it may quote what the caller gave. */
const MAX_MESSAGE = 2000;

/** Writes a fault as one JSON line to stderr, where clients collect a server's log. */
export function logError(error: unknown, what: string): void {
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
  const line = { time: new Date().toISOString(), level: 'error', name: 'rlm', version: VERSION, what };
  try {
    writeSync(2, `${JSON.stringify({ ...line, message, stack })}\n`);
  } catch {
    // Nobody reads the log any more, or not now: that must not end the server.
  }
}

/** What a caller sees of an error: no stack, and of a fault of ours no more than that it is one. */
export function describeError(error: unknown) {
  if (error instanceof RlmError && error.code !== 'internal') {
    const { code, message, hint, retryable, choices } = error;
    return {
      code,
      message: truncate(message, MAX_MESSAGE),
      hint,
      retryable,
      ...(choices === undefined ? {} : { choices }),
    };
  }
  return {
    code: 'internal',
    message: 'rlm failed for a reason of its own; the server has logged it to stderr',
    hint: {
      text: 'Runs in the background are not affected. See what state the run is in.',
      action: { tool: 'rlm_status', args: {} },
    },
    retryable: false,
  };
}

/**
 * An error in an answer of the protocol, with the same data as that of a tool. The SDK's `McpError`
 * puts its code in front of its message, where a client puts it again.
 */
class ProtocolError extends Error {
  readonly code: number;
  readonly data: ReturnType<typeof describeError>;

  constructor(code: number, error: RlmError) {
    const data = describeError(error);
    super(`${data.message}. ${data.hint.text}`);
    this.code = code;
    this.data = data;
  }
}

/** Turns our errors into the protocol's; what is not ours is logged and reported as internal. */
export async function protocolErrors<Value>(answer: () => Promise<Value>): Promise<Value> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof RlmError && error.code !== 'internal') {
      throw new ProtocolError(
        error.code === 'not_found' ? RESOURCE_NOT_FOUND : ErrorCode.InvalidParams,
        error,
      );
    }
    logError(error, 'a request could not be answered');
    throw new ProtocolError(ErrorCode.InternalError, new RlmError('internal', ''));
  }
}

/** @throws RlmError naming what is wrong with the parameters of a request */
export function checkParams<Params>(method: string, schema: z.ZodType<Params>, params: unknown): Params {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${['params', ...path].join('.')}: ${message}`,
  );
  throw new RlmError('usage', `${method}: ${problems.join('; ')}`);
}
