import { existsSync } from 'node:fs';
import { z } from 'zod';
import { addUsage, type Failure, type FailureClass, NO_USAGE, type Usage } from '../../contracts/index.ts';
import { readLineBatches } from '../../files/index.ts';
import { oneLine } from '../../text/index.ts';
import { parseRetryAfter } from '../retry-after.ts';

/** What the events of a call say: those of `codex exec --json`, and of every runner that wraps it. */
export interface CodexLog {
  /** Text of the last object whose `item.type` is `agent_message`, whatever its event type. */
  answer: string | undefined;
  /** Sum over all `turn.completed`; a count that is missing is zero. */
  usage: Usage;
  /** Whether the last turn ended well. */
  completed: boolean;
  /** Message of the last `turn.failed` or `error`. */
  error: string | undefined;
}

const count = z.int().nonnegative().catch(0);
const AgentMessage = z.looseObject({
  item: z.looseObject({ type: z.literal('agent_message'), text: z.string() }),
});
const CodexEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('turn.completed'),
    usage: z
      .object({
        input_tokens: count,
        cached_input_tokens: count,
        output_tokens: count,
        reasoning_output_tokens: count,
      })
      .catch(NO_USAGE),
  }),
  z.object({ type: z.literal('turn.failed'), error: z.object({ message: z.string() }) }),
  // Not final by itself: `Reconnecting… 1/2` is one too. What counts is how the turn ends.
  z.object({ type: z.literal('error'), message: z.string() }),
]);

/** Most lines of a big log are none of these: they are not even parsed. */
const OF_INTEREST = /agent_message|turn\.completed|turn\.failed|"error"/;

/**
 * Streams a log; lines that are no JSON, unknown, or absurdly long are passed over. A call that was cancelled
 * before its start left none.
 *
 * @param options.start byte offset at which this call's log starts in the file
 * @param options.onLine sees every line, JSON or not
 */
export async function readCodexLog(
  path: string,
  options: { start?: number; onLine?: (text: string) => void } = {},
): Promise<CodexLog> {
  const log: CodexLog = { answer: undefined, usage: NO_USAGE, completed: false, error: undefined };
  if (!existsSync(path)) return log;
  for await (const batch of readLineBatches(path, { start: options.start ?? 0, longLines: 'skip' })) {
    for (const { text } of batch) {
      options.onLine?.(text);
      if (OF_INTEREST.test(text)) take(log, text);
    }
  }
  return log;
}

function take(log: CodexLog, text: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return;
  }
  const message = AgentMessage.safeParse(value);
  if (message.success) {
    log.answer = message.data.item.text;
    return;
  }
  const { data: event } = CodexEvent.safeParse(value);
  switch (event?.type) {
    case 'turn.completed':
      log.usage = addUsage(log.usage, event.usage);
      log.completed = true;
      return;
    case 'turn.failed':
      log.completed = false;
      log.error = event.error.message;
      return;
    case 'error':
      log.error = event.message;
      return;
    default:
  }
}

/** Longest failure message that is kept, characters. */
const MAX_MESSAGE = 1000;

/**
 * Codex's words to our classes, first match wins (measured with 0.169). Quota comes before throttled,
 * because both are HTTP 429 and only one of them passes by itself.
 */
const BY_MESSAGE: readonly (readonly [FailureClass, RegExp])[] = [
  [
    'quota',
    /usage limit|insufficient_quota|usage_limit_reached|quota exceeded|exceeded your current quota|out of credits|spend(?:ing)? (?:cap|limit)|billing hard limit/i,
  ],
  [
    'overflow',
    /context_length_exceeded|ran out of room in the model|maximum context length|context window|input exceeds the maximum length|string_above_max_length/i,
  ],
  [
    'auth',
    /unexpected status 40[13]|\b401 unauthorized|not logged in|refresh token|invalid_api_key|incorrect api key|missing environment variable|authentication required|please (?:log|sign) in/i,
  ],
  ['throttled', /last status: 429|too many requests|rate.?limit/i],
  [
    'config',
    /invalid_json_schema|invalid_request_error|unexpected status 4(?:0[045]|22)|model_not_found|model .*(?:does not exist|not found|not supported)|unknown feature|unknown configuration|error loading config|unexpected argument|invalid value|not inside a trusted directory|CODEX_HOME points to/i,
  ],
  [
    'server',
    /high demand|at capacity|overloaded|unexpected status 5\d\d|last status: 5\d\d|internal server error|server_error/i,
  ],
  [
    'network',
    /stream disconnected|connection (?:failed|refused|reset|closed)|error sending request|network error|dns error|timed? ?out|idle timeout/i,
  ],
];

/** `codexErrorInfo` of the app-server; what is not here (`other`, new names) is classed by its message. */
const BY_INFO: Readonly<Record<string, FailureClass>> = {
  usageLimitExceeded: 'quota',
  sessionBudgetExceeded: 'quota',
  contextWindowExceeded: 'overflow',
  unauthorized: 'auth',
  inferenceHookDenied: 'auth',
  modelNotFound: 'config',
  badRequest: 'config',
  rateLimitExceeded: 'throttled',
  flexUnavailable: 'throttled',
  policyCapacityUnavailable: 'server',
  serverOverloaded: 'server',
  internalServerError: 'server',
  responseStreamDisconnected: 'network',
};

/** The failure that a message of Codex tells of; `crashed` when the message says nothing known. */
export function failureOfMessage(message: string, now: Date = new Date()): Failure {
  const known = BY_MESSAGE.find(([, pattern]) => pattern.test(message))?.[0];
  return describe(known ?? 'crashed', message, now);
}

const WithStatus = z.object({ httpStatusCode: z.int().nullable().optional() });
const ErrorInfo = z.union([z.string(), z.record(z.string(), z.unknown())]);

/** The failure of a turn of the app-server: its type where that says enough, else its message. */
export function failureOfTurn(info: unknown, message: string, now: Date = new Date()): Failure {
  const parsed = ErrorInfo.safeParse(info);
  if (!parsed.success) return failureOfMessage(message, now);
  const [name, detail] =
    typeof parsed.data === 'string'
      ? [parsed.data, undefined]
      : (Object.entries(parsed.data)[0] ?? ['other']);
  const status = WithStatus.safeParse(detail).data?.httpStatusCode;
  const byMessage = failureOfMessage(message, now);
  // A 429 whose message speaks of the account's allowance does not pass by itself.
  if (byMessage.class === 'quota') return byMessage;
  const known = BY_INFO[name] ?? (typeof status === 'number' ? classOfStatus(status) : undefined);
  return known === undefined ? byMessage : describe(known, message, now);
}

function classOfStatus(status: number): FailureClass | undefined {
  if (status === 429) return 'throttled';
  if (status === 401 || status === 403) return 'auth';
  if (status >= 500) return 'server';
  return status >= 400 ? 'config' : undefined;
}

function describe(failureClass: FailureClass, message: string, now: Date): Failure {
  const failure: Failure = { class: failureClass, message: readable(message) };
  const waitMs = parseRetryAfter(message);
  const resetsAt = failureClass === 'quota' ? resetOf(message, waitMs, now) : undefined;
  if (waitMs !== undefined && failureClass !== 'quota') failure.retry_after_ms = waitMs;
  if (resetsAt !== undefined) failure.resets_at = resetsAt.toISOString();
  return failure;
}

const ProviderError = z.object({
  error: z.object({ message: z.string(), code: z.string().nullish(), type: z.string().nullish() }),
});

/** A provider's JSON error object as one sentence; anything else as it is. */
function readable(message: string): string {
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    return oneLine(message, MAX_MESSAGE);
  }
  const parsed = ProviderError.safeParse(value);
  if (!parsed.success) return oneLine(message, MAX_MESSAGE);
  const { code, type, message: text } = parsed.data.error;
  return oneLine(`${code ?? type ?? 'error'}: ${text}`, MAX_MESSAGE);
}

/** When the allowance is there again: epoch seconds, a wait, or a wall time in the machine's own zone. */
function resetOf(message: string, waitMs: number | undefined, now: Date): Date | undefined {
  const epoch = /resets_at\W{1,4}(\d{10})\b/.exec(message)?.[1];
  if (epoch !== undefined) return new Date(Number(epoch) * 1000);
  if (waitMs !== undefined) return new Date(now.getTime() + waitMs);
  const said = /again at\s+(?:(.*\d{4})\s+)?(\d{1,2}):(\d{2})\s*([AP])M/i.exec(message);
  if (said === null) return undefined;
  const [, day, hour, minute, half] = said;
  const base = day === undefined ? now : new Date(day.replace(/(\d)(?:st|nd|rd|th)\b/, '$1'));
  if (Number.isNaN(base.getTime())) return undefined;
  const reset = new Date(base);
  reset.setHours((Number(hour) % 12) + (half?.toUpperCase() === 'P' ? 12 : 0), Number(minute), 0, 0);
  // A time without a day is the next such time.
  if (day === undefined && reset <= now) reset.setDate(reset.getDate() + 1);
  return reset;
}
