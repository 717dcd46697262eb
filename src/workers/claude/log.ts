import { existsSync } from 'node:fs';
import { z } from 'zod';
import { addUsage, NO_USAGE, type Usage } from '../../contracts/index.ts';
import { readLineBatches } from '../../files/index.ts';
import { timeOfEpoch } from '../told-wait.ts';

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
export type ClaudeResult = z.infer<typeof ResultEvent>;

const RateLimitEvent = z.object({
  type: z.literal('rate_limit_event'),
  rate_limit_info: z.object({ status: z.string(), resetsAt: z.number().positive().optional() }),
});

const AssistantEvent = z.object({
  type: z.literal('assistant'),
  message: z.object({ id: z.string(), usage: ClaudeUsage }),
});

/** What Claude's event stream says. */
export interface ClaudeLog {
  /** Undefined when it ended before it could say: SIGINT, for one, is exit 0 without a result. */
  result: ClaudeResult | undefined;
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
  if (assistant.success) messages.set(assistant.data.message.id, assistant.data.message.usage);
}
