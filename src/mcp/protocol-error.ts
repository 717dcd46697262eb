import { ErrorCode } from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';
import { RlmError } from '../errors.ts';
import { truncate } from '../text/index.ts';
import { logError } from './log.ts';

/** The protocol's code for a resource that is not there. */
const RESOURCE_NOT_FOUND = -32002;

/** Longest message of an error, characters: it may quote what the caller gave. */
export const MAX_MESSAGE = 2000;

/**
 * An error as it stands in an answer. The SDK's `McpError` puts its code in front of its message, where a client
 * puts it again.
 */
class ProtocolError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(truncate(message, MAX_MESSAGE));
    this.code = code;
  }
}

/** Turns our errors into the protocol's; what is not ours is logged and told as internal. */
export async function protocolErrors<Value>(answer: () => Promise<Value>): Promise<Value> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    if (error instanceof RlmError && error.code !== 'internal') {
      const code = error.code === 'not_found' ? RESOURCE_NOT_FOUND : ErrorCode.InvalidParams;
      throw new ProtocolError(
        code,
        error.hint === undefined ? error.message : `${error.message}. ${error.hint}`,
      );
    }
    await logError(error, 'a request could not be answered');
    throw new ProtocolError(
      ErrorCode.InternalError,
      'rlm failed for a reason of its own; see the log of the server',
    );
  }
}

/** @throws ProtocolError naming what is wrong with the parameters of a request */
export function checkParams<Params>(method: string, schema: z.ZodType<Params>, params: unknown): Params {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${['params', ...path].join('.')}: ${message}`,
  );
  throw new ProtocolError(ErrorCode.InvalidParams, `${method}: ${problems.join('; ')}`);
}
