import { existsSync } from 'node:fs';
import { z } from 'zod';
import { addUsage, type Failure, type FailureClass, NO_USAGE, type Usage } from '../../contracts/index.ts';
import { readLineBatches } from '../../files/index.ts';
import { oneLine } from '../../text/index.ts';
import { parseRetryAfter, timeOfEpoch } from '../retry-after.ts';

const count = z.int().nonnegative().catch(0);

/** Anthropic counts cached tokens beside `input_tokens`; ours are part of it. */
const ClaudeUsage = z
  .object({
    input_tokens: count,
    cache_creation_input_tokens: count,
    cache_read_input_tokens: count,
    output_tokens: count,
    output_tokens_details: z.object({ thinking_tokens: count }).nullish().catch(null),
  })
  .transform(
    (usage): Usage => ({
      input_tokens: usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens,
      cached_input_tokens: usage.cache_read_input_tokens,
      output_tokens: usage.output_tokens,
      reasoning_output_tokens: usage.output_tokens_details?.thinking_tokens ?? 0,
    }),
  );

/** The same by model, with other names: this one counts every request, failed answers included. */
const ModelUsage = z
  .object({
    inputTokens: count,
    cacheCreationInputTokens: count,
    cacheReadInputTokens: count,
    outputTokens: count,
    thinkingTokens: count,
  })
  .transform(
    (usage): Usage => ({
      input_tokens: usage.inputTokens + usage.cacheCreationInputTokens + usage.cacheReadInputTokens,
      cached_input_tokens: usage.cacheReadInputTokens,
      output_tokens: usage.outputTokens,
      reasoning_output_tokens: usage.thinkingTokens,
    }),
  );

/** The last object Claude prints: how it all went. */
const ResultEvent = z.object({
  type: z.literal('result'),
  subtype: z.string().catch(''),
  is_error: z.boolean(),
  result: z.string().optional().catch(undefined),
  structured_output: z.unknown().optional(),
  errors: z.array(z.string()).optional().catch(undefined),
  api_error_status: z.int().nullish().catch(null),
  api_error: z.string().nullish().catch(null),
  terminal_reason: z.string().optional().catch(undefined),
  stop_reason: z.string().nullish().catch(null),
  total_cost_usd: z.number().nonnegative().nullish().catch(null),
  usage: ClaudeUsage.catch(NO_USAGE),
  modelUsage: z.record(z.string(), ModelUsage).catch({}),
});
type ClaudeResult = z.infer<typeof ResultEvent>;

const RateLimitEvent = z.object({
  type: z.literal('rate_limit_event'),
  rate_limit_info: z.object({ status: z.string(), resetsAt: z.number().positive().optional() }),
});

const Block = z.union([
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('tool_use'), name: z.string(), input: z.unknown() }),
  z.object({ type: z.string() }).transform(() => undefined),
]);

const AssistantEvent = z.object({
  type: z.literal('assistant'),
  message: z.object({ id: z.string(), usage: ClaudeUsage, content: z.array(Block).catch([]) }),
});

/** What Claude's event stream says. */
export interface ClaudeLog {
  /** Undefined when it ended before it could say: SIGINT, for one, is exit 0 without a result. */
  result: ClaudeResult | undefined;
  /** What the model said last, or gave to the tool that takes the answer; empty when it said nothing. */
  said: string;
  /** The account's allowance is used up. */
  limit: { rejected: boolean; resetsAt: Date | undefined };
  /** As the result says, else as far as it got. */
  usage: Usage;
}

/**
 * Reads the events that Claude printed, streaming; lines that are no JSON or absurdly long are passed over.
 *
 * @param start byte offset of this attempt's first line
 */
export async function readClaudeLog(path: string, start: number): Promise<ClaudeLog> {
  const log: ClaudeLog = {
    result: undefined,
    said: '',
    limit: { rejected: false, resetsAt: undefined },
    usage: NO_USAGE,
  };
  if (!existsSync(path)) return log;
  const messages = new Map<string, Usage>();
  for await (const batch of readLineBatches(path, { start, longLines: 'skip' })) {
    for (const { text } of batch) take(log, messages, text);
  }
  log.usage = usageOf(log.result, messages);
  return log;
}

function usageOf(result: ClaudeResult | undefined, messages: ReadonlyMap<string, Usage>): Usage {
  if (result === undefined) return [...messages.values()].reduce(addUsage, NO_USAGE);
  const byModel = Object.values(result.modelUsage);
  return byModel.length > 0 ? byModel.reduce(addUsage, NO_USAGE) : result.usage;
}

function take(log: ClaudeLog, messages: Map<string, Usage>, text: string): void {
  if (!/"type":\s*"(?:result|rate_limit_event|assistant)"/.test(text)) return;
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    return;
  }
  const result = ResultEvent.safeParse(event);
  if (result.success) {
    log.result = result.data;
    return;
  }
  const limit = RateLimitEvent.safeParse(event);
  if (limit.success) {
    const { status, resetsAt } = limit.data.rate_limit_info;
    log.limit = {
      rejected: status === 'rejected',
      resetsAt: resetsAt === undefined ? undefined : timeOfEpoch(resetsAt),
    };
    return;
  }
  const assistant = AssistantEvent.safeParse(event);
  if (!assistant.success) return;
  const { id, usage, content } = assistant.data.message;
  messages.set(id, usage);
  for (const block of content) {
    if (block === undefined) continue;
    if ('text' in block) log.said = block.text;
    else if (block.name === ANSWER_TOOL) log.said = JSON.stringify(block.input);
  }
}

/** Claude gives an answer with a schema to a tool of this name. */
const ANSWER_TOOL = 'StructuredOutput';

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
  const message = `claude: ${oneLine(said, MAX_MESSAGE) || 'failed without a word'}`;
  const failureClass = classOf(result, said, limit.rejected);
  const resetsAt = failureClass === 'quota' ? (limit.resetsAt ?? epochIn(said)) : undefined;
  const waitMs = parseRetryAfter(said);
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
