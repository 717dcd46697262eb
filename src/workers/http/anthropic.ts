import type { Message } from '@anthropic-ai/sdk/resources/messages';
import { z } from 'zod';
import type { WorkRequest } from '../worker.ts';
import type { HttpEndpoint, ModelApi, ModelReply } from './api.ts';
import { classifyHttpFailure, connectionFailure } from './failures.ts';

/** The tool that a model must call with its answer: the way to structure that every model of the API has. */
const ANSWER_TOOL = 'answer';

const ErrorBody = z.object({ error: z.object({ type: z.string() }) });

/** Anthropic's Messages API. */
export async function anthropicApi(endpoint: HttpEndpoint, key: string | undefined): Promise<ModelApi> {
  // Not part of the bundle: few runs ask a model by its API.
  const { default: Anthropic, APIConnectionError, APIError } = await import('@anthropic-ai/sdk');
  const client = new Anthropic({
    apiKey: key ?? null,
    // Not the login of whoever starts us: the configuration names the key.
    authToken: null,
    ...(endpoint.base_url === undefined ? {} : { baseURL: endpoint.base_url }),
    maxRetries: 0,
    timeout: 2 ** 31 - 1,
  });
  return {
    async ask(request, signal) {
      return replyOf(await client.messages.create(bodyOf(request, endpoint), { signal }));
    },
    classify(error) {
      if (error instanceof APIConnectionError) return connectionFailure(error);
      if (!(error instanceof APIError)) return undefined;
      const code = ErrorBody.safeParse(error.error).data?.error.type ?? '';
      return classifyHttpFailure({
        status: error.status,
        headers: error.headers,
        code,
        message: error.message,
      });
    },
  };
}

function bodyOf({ instructions, input, schema, model }: WorkRequest, endpoint: HttpEndpoint) {
  return {
    model: model ?? '',
    max_tokens: endpoint.max_output_tokens,
    // The stable part is marked, so that it is read from the cache by the calls after the first.
    ...(instructions === ''
      ? {}
      : {
          system: [
            { type: 'text' as const, text: instructions, cache_control: { type: 'ephemeral' as const } },
          ],
        }),
    messages: [{ role: 'user' as const, content: input }],
    ...(schema === undefined
      ? {}
      : {
          tools: [
            {
              name: ANSWER_TOOL,
              description: 'Gives the answer.',
              input_schema: { type: 'object' as const, ...withoutDialect(schema.value) },
            },
          ],
          tool_choice: { type: 'tool' as const, name: ANSWER_TOOL },
        }),
  };
}

function withoutDialect({
  $schema: _schema,
  $id: _id,
  ...rest
}: Record<string, unknown>): Record<string, unknown> {
  return rest;
}

function replyOf(message: Message): ModelReply {
  const { usage } = message;
  const cached = usage.cache_read_input_tokens ?? 0;
  const called = message.content.find((block) => block.type === 'tool_use' && block.name === ANSWER_TOOL);
  const text = message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  const reply: ModelReply = {
    text: called?.type === 'tool_use' ? JSON.stringify(called.input) : text,
    model: message.model,
    raw: message,
    usage: {
      input_tokens: usage.input_tokens + cached + (usage.cache_creation_input_tokens ?? 0),
      cached_input_tokens: cached,
      output_tokens: usage.output_tokens,
      reasoning_output_tokens: 0,
    },
  };
  if (message.stop_reason === 'max_tokens') {
    return {
      ...reply,
      failure: { class: 'invalid_output', message: 'the answer was cut at its limit of output tokens' },
    };
  }
  if (message.stop_reason === 'refusal') {
    return {
      ...reply,
      failure: { class: 'invalid_output', message: `the model refused: ${text.slice(0, 100)}` },
    };
  }
  return reply;
}
