import type { ServerResponse } from 'node:http';
import type { ScriptedUsage } from '../script.ts';
import { type ModelApi, type SendableReply, textsOf } from './api.ts';

/** Claude answers a `--json-schema` by calling a tool of this name. */
const ANSWER_TOOL = 'StructuredOutput';

/**
 * Anthropic's Messages API as Claude Code uses it. An answer whose text is a JSON object comes through the
 * answer tool when the request offers one; any other text is plain text, as from a model that ignores it.
 */
export const messagesApi: ModelApi = {
  name: 'messages',
  matches: (method, path) => method === 'POST' && path.endsWith('/v1/messages'),
  promptOf: (body) => [body.system, body.messages].flatMap(textOf).join('\n'),
  send(reply, body, response) {
    if (reply.kind === 'status') return sendStatus(reply, response);
    const blocks = blocksOf(reply, body);
    const usage = usageOf('usage' in reply ? reply.usage : undefined);
    const message = {
      id: `msg_${++messages}`,
      type: 'message',
      role: 'assistant',
      model: typeof body.model === 'string' ? body.model : 'scripted',
      stop_sequence: null,
    };
    const stopReason = blocks.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn';
    if (body.stream !== true) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ ...message, content: blocks, stop_reason: stopReason, usage }));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    sendEvent(response, 'message_start', {
      message: { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 0 } },
    });
    if (reply.kind === 'cut') {
      // After the first event has left: the client must see a stream that began.
      setImmediate(() => response.destroy());
      return;
    }
    if (reply.kind === 'failed') {
      sendEvent(response, 'error', { error: { type: reply.type, message: reply.message } });
      response.end();
      return;
    }
    blocks.forEach((block, index) => {
      const [start, delta] = partsOf(block);
      sendEvent(response, 'content_block_start', { index, content_block: start });
      sendEvent(response, 'content_block_delta', { index, delta });
      sendEvent(response, 'content_block_stop', { index });
    });
    sendEvent(response, 'message_delta', {
      delta: { stop_reason: stopReason, stop_sequence: null },
      usage: { output_tokens: usage.output_tokens },
    });
    sendEvent(response, 'message_stop', {});
    response.end();
  },
};

let messages = 0;

type Block =
  | { type: 'text'; text: string }
  | { type: 'tool_use'; id: string; name: string; input: Record<string, unknown> };

function blocksOf(reply: SendableReply, body: Record<string, unknown>): Block[] {
  const id = `toolu_${messages + 1}`;
  if (reply.kind === 'tool') return [{ type: 'tool_use', id, name: reply.name, input: reply.arguments }];
  if (reply.kind !== 'answer') return [];
  const input = offersAnswerTool(body) && !isAnswered(body) ? objectIn(reply.text) : undefined;
  return input === undefined
    ? [{ type: 'text', text: reply.text }]
    : [{ type: 'tool_use', id, name: ANSWER_TOOL, input }];
}

/** A block as it is streamed: empty first, then all of it in one delta. */
function partsOf(block: Block): [Record<string, unknown>, Record<string, unknown>] {
  return block.type === 'text'
    ? [
        { type: 'text', text: '' },
        { type: 'text_delta', text: block.text },
      ]
    : [
        { ...block, input: {} },
        { type: 'input_json_delta', partial_json: JSON.stringify(block.input) },
      ];
}

function offersAnswerTool(body: Record<string, unknown>): boolean {
  return Array.isArray(body.tools) && body.tools.some((tool) => tool?.name === ANSWER_TOOL);
}

/** Whether the last message is the answer tool's own result: then the model has nothing more to do. */
function isAnswered(body: Record<string, unknown>): boolean {
  const last: unknown = Array.isArray(body.messages) ? body.messages.at(-1) : undefined;
  return JSON.stringify(last ?? null).includes('"tool_result"');
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return textsOf(value);
}

function sendEvent(response: ServerResponse, type: string, data: Record<string, unknown>): void {
  response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
}

function sendStatus(reply: Extract<SendableReply, { kind: 'status' }>, response: ServerResponse): void {
  response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
  const error = { type: 'api_error', message: `scripted ${reply.status}` };
  response.end(JSON.stringify(reply.body ?? { type: 'error', error }));
}

/** Anthropic counts cached tokens beside `input_tokens`, not in it. */
function usageOf(usage: ScriptedUsage = { input: 0, output: 0 }) {
  return {
    input_tokens: usage.input - (usage.cached ?? 0),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cached ?? 0,
    output_tokens: usage.output,
  };
}
