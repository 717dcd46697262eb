import type { Failure, FailureClass } from '../../contracts/index.ts';
import { harmless } from '../printed.ts';
import { toldWait } from '../told-wait.ts';
import type { ClaudeLog, ClaudeResult } from './log.ts';

/** Longest failure message that is kept, characters. */
const MAX_MESSAGE = 1000;

/**
 * Claude's words to our classes, first match wins (measured with 2.1.329). They come before the HTTP status,
 * because a 429 may be an allowance that is used up, and a 400 a prompt that is too long.
 */
const BY_MESSAGE: readonly (readonly [FailureClass, RegExp])[] = [
  [
    'quota',
    /you've (?:hit|reached) your|usage limit|(?<!rate )limit reached|out of (?:usage )?credits|credit balance|spend(?:ing)? limit|usage_limit_reached/i,
  ],
  [
    'overflow',
    /prompt is too long|request too large|context (?:window|length)|exceeds? .*context|prompt_too_long/i,
  ],
  [
    'auth',
    /not logged in|please run \/login|authenticat|invalid (?:api key|x-api-key|bearer)|oauth token|token (?:has )?expired|permission_error/i,
  ],
  [
    'config',
    /may not exist|not have access to it|invalid_request_error|unknown option|credentials? .*provider/i,
  ],
  // A stream that had begun well tells of these without a status.
  ['throttled', /rate.?limit|too many requests/i],
  ['server', /overloaded|internal server error|at capacity|high demand/i],
  [
    'network',
    /ECONN|ENOTFOUND|EAI_AGAIN|EPIPE|connection|network|socket|timed? ?out|unable to connect|fetch failed/i,
  ],
];

const BY_SUBTYPE: Readonly<Record<string, FailureClass>> = {
  error_max_structured_output_retries: 'invalid_output',
  error_max_turns: 'crashed',
  error_max_budget_usd: 'budget',
};

/** The failure that a result with `is_error` tells of. */
export function failureOfResult(result: ClaudeResult, limit: ClaudeLog['limit']): Failure {
  const said = result.result ?? result.errors?.join('; ') ?? result.subtype;
  const message = `claude: ${harmless(said, MAX_MESSAGE) || 'failed without a word'}`;
  const failureClass = classOf(result, said, limit.rejected);
  const resetsAt = failureClass === 'quota' ? (limit.resetsAt ?? epochIn(said)) : undefined;
  const waitMs = toldWait(said);
  return {
    class: failureClass,
    message,
    ...(resetsAt === undefined ? {} : { resets_at: resetsAt.toISOString() }),
    ...(waitMs === undefined || failureClass === 'quota' ? {} : { retry_after_ms: waitMs }),
  };
}

function classOf(result: ClaudeResult, said: string, rejected: boolean): FailureClass {
  const bySubtype = BY_SUBTYPE[result.subtype];
  if (bySubtype !== undefined) return bySubtype;
  if (result.terminal_reason === 'prompt_too_long') return 'overflow';
  const status = result.api_error_status ?? 0;
  if (result.api_error === 'usage_limit_reached' || (rejected && status === 429)) return 'quota';
  const byMessage = BY_MESSAGE.find(([, pattern]) => pattern.test(said))?.[0];
  if (byMessage === 'quota' || byMessage === 'overflow') return byMessage;
  return classOfStatus(status) ?? byMessage ?? 'crashed';
}

function classOfStatus(status: number): FailureClass | undefined {
  if (status === 401 || status === 403) return 'auth';
  if (status === 413) return 'overflow';
  if (status === 429) return 'throttled';
  if (status === 408) return 'network';
  if (status >= 500) return 'server';
  return status >= 400 ? 'config' : undefined;
}

/** Older versions say `Claude AI usage limit reached|1735689600`. */
function epochIn(said: string): Date | undefined {
  const epoch = /\|(\d{10})\b/.exec(said)?.[1];
  return epoch === undefined ? undefined : new Date(Number(epoch) * 1000);
}
