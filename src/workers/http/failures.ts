import type { Failure, FailureClass } from '../../contracts/index.ts';
import { oneLine } from '../../text/index.ts';

/** An answer of an endpoint that is no success, as both SDKs throw it. */
export interface HttpFailure {
  status: number | undefined;
  headers: Headers | undefined;
  /** The provider's own name for it, such as `insufficient_quota`. */
  code: string;
  message: string;
}

/** A class for what the provider names, whatever the status. */
const BY_CODE: readonly (readonly [RegExp, FailureClass])[] = [
  [/insufficient_quota|billing|credit_balance|quota_exceeded|usage_limit/i, 'quota'],
  [/context_length_exceeded|string_above_max_length|request_too_large|prompt_too_long/i, 'overflow'],
  [/rate_limit/i, 'throttled'],
  [/authentication|invalid_api_key|permission/i, 'auth'],
  [/overloaded|server_error|api_error/i, 'server'],
];
/** And by what it says, where the name says nothing. */
const BY_MESSAGE: readonly (readonly [RegExp, FailureClass])[] = [
  [
    /maximum context length|context (?:window|length|size)|prompt is too long|too many tokens|exceeds? .*\bcontext\b/i,
    'overflow',
  ],
  [/credit balance is too low|exceeded your current quota|insufficient (?:quota|credits|balance)/i, 'quota'],
];
const BY_STATUS: Readonly<Record<number, FailureClass>> = {
  401: 'auth',
  402: 'quota',
  403: 'auth',
  408: 'network',
  409: 'server',
  413: 'overflow',
  425: 'server',
  429: 'throttled',
};

/** The failure class of an HTTP answer, with the time that the provider asks to wait. */
export function classifyHttpFailure({ status, headers, code, message }: HttpFailure): Failure {
  const said = `${status ?? 'no status'}${code === '' ? '' : ` ${code}`}: ${oneLine(message, 400)}`;
  const found =
    BY_CODE.find(([pattern]) => pattern.test(code))?.[1] ??
    BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1];
  const byStatus =
    status === undefined ? 'network' : (BY_STATUS[status] ?? (status >= 500 ? 'server' : 'config'));
  // A name may be generic where the status is not: a 401 named api_error is still no login.
  const failureClass = byStatus === 'auth' || found === undefined ? byStatus : found;
  const wait = retryAfterMs(headers);
  return { class: failureClass, message: said, ...(wait === undefined ? {} : { retry_after_ms: wait }) };
}

/** Milliseconds from now, of `retry-after-ms` or `Retry-After` in seconds or as a date. */
export function retryAfterMs(headers: Headers | undefined, now = Date.now()): number | undefined {
  const exact = Number(headers?.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(exact) && exact >= 0) return exact;
  const text = headers?.get('retry-after')?.trim();
  if (text === undefined || text === '') return undefined;
  const seconds = Number(text);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - now;
  return Number.isFinite(wait) && wait >= 0 ? Math.round(wait) : undefined;
}

/** The failure of a request that reached no server. "Connection error." says nothing; what fetch says below it does. */
export function connectionFailure(error: Error): Failure {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error && parts.length < 4; at = at.cause)
    parts.push(at.message);
  const message = [...new Set(parts)].join(': ');
  return classifyHttpFailure({ status: undefined, headers: undefined, code: '', message });
}
