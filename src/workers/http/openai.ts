import type {
  ChatCompletion,
  ChatCompletionCreateParamsNonStreaming,
} from 'openai/resources/chat/completions';
import type { Failure } from '../../contracts/index.ts';
import type { WorkRequest } from '../worker.ts';
import type { HttpEndpoint, ModelApi, ModelReply } from './api.ts';
import { classifyHttpFailure, connectionFailure } from './failures.ts';
import { strictSchema } from './strict-schema.ts';

/** How an answer is held to its schema; what a server refuses is left out from then on. */
type Structure = 'schema' | 'object' | 'none';
const WEAKER: Readonly<Record<Structure, Structure | undefined>> = {
  schema: 'object',
  object: 'none',
  none: undefined,
};

/** Any server that speaks OpenAI's chat completions: OpenAI, vLLM, Ollama, llama.cpp, OpenRouter. */
export async function openaiApi(endpoint: HttpEndpoint, key: string | undefined): Promise<ModelApi> {
  // Not part of the bundle: few runs ask a model by its API.
  const { default: OpenAI, APIConnectionError, APIError } = await import('openai');
  // Only dispatch retries. A local server needs no key, but the SDK wants one.
  const client = new OpenAI({
    apiKey: key ?? 'none',
    baseURL: endpoint.base_url,
    maxRetries: 0,
    timeout: 2 ** 31 - 1,
  });
  let structure: Structure = 'schema';
  let limitName: 'max_completion_tokens' | 'max_tokens' =
    endpoint.base_url === undefined ? 'max_completion_tokens' : 'max_tokens';

  async function ask(request: WorkRequest, signal: AbortSignal): Promise<ModelReply> {
    for (;;) {
      const used = { structure, limitName };
      try {
        return replyOf(await client.chat.completions.create(bodyOf(request, endpoint, used), { signal }));
      } catch (error) {
        if (!(error instanceof APIError) || error.status !== 400) throw error;
        // A server says what it does not know; another call may have learnt the same meanwhile.
        if (
          /response_format|json_schema|json_object|grammar/i.test(error.message) &&
          request.schema !== undefined
        ) {
          const weaker = WEAKER[used.structure];
          if (weaker === undefined) throw error;
          structure = weaker;
        } else if (/max_completion_tokens|max_tokens/.test(error.message) && limitName === used.limitName) {
          const other = used.limitName === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
          if (!error.message.includes(other)) throw error;
          limitName = other;
        } else throw error;
      }
    }
  }

  function classify(error: unknown): Failure | undefined {
    if (error instanceof APIConnectionError) return connectionFailure(error);
    if (!(error instanceof APIError)) return undefined;
    const code = [error.code, error.type].filter((name) => typeof name === 'string').join(' ');
    return classifyHttpFailure({
      status: error.status,
      headers: error.headers,
      code,
      message: error.message,
    });
  }
  return { ask, classify };
}

function bodyOf(
  request: WorkRequest,
  endpoint: HttpEndpoint,
  { structure, limitName }: { structure: Structure; limitName: 'max_completion_tokens' | 'max_tokens' },
): ChatCompletionCreateParamsNonStreaming {
  const { instructions, input, schema, model, effort } = request;
  return {
    model: model ?? '',
    messages: [
      ...(instructions === '' ? [] : [{ role: 'system' as const, content: instructions }]),
      { role: 'user', content: input },
    ],
    [limitName]: endpoint.max_output_tokens,
    ...(effort === null || endpoint.base_url !== undefined ? {} : { reasoning_effort: effortOf(effort) }),
    ...(schema === undefined || structure === 'none'
      ? {}
      : structure === 'object'
        ? { response_format: { type: 'json_object' } }
        : {
            response_format: {
              type: 'json_schema',
              json_schema: { name: 'answer', strict: true, schema: Object(strictSchema(schema.value)) },
            },
          }),
  };
}

/** The API knows no further levels. */
function effortOf(effort: string): 'minimal' | 'low' | 'medium' | 'high' {
  if (effort === 'minimal' || effort === 'low' || effort === 'medium') return effort;
  return effort === 'none' ? 'minimal' : 'high';
}

function replyOf(completion: ChatCompletion): ModelReply {
  const choice = completion.choices?.[0];
  const usage = completion.usage;
  const refusal = choice?.message?.refusal;
  const reply: ModelReply = {
    text: choice?.message?.content ?? '',
    model: completion.model ?? null,
    raw: completion,
    usage: {
      input_tokens: usage?.prompt_tokens ?? 0,
      cached_input_tokens: usage?.prompt_tokens_details?.cached_tokens ?? 0,
      output_tokens: usage?.completion_tokens ?? 0,
      reasoning_output_tokens: usage?.completion_tokens_details?.reasoning_tokens ?? 0,
    },
  };
  if (refusal)
    return {
      ...reply,
      failure: { class: 'invalid_output', message: `the model refused: ${refusal.slice(0, 100)}` },
    };
  if (choice?.finish_reason === 'length') {
    return {
      ...reply,
      failure: { class: 'invalid_output', message: 'the answer was cut at its limit of output tokens' },
    };
  }
  if (choice === undefined)
    return { ...reply, failure: { class: 'server', message: 'the server sent no choice' } };
  return reply;
}
