import type { ServerResponse } from 'node:http';
import type { ScriptedUsage } from '../script.ts';
import { type ModelApi, type SendableReply, textsOf } from './api.ts';

/** OpenAI's Responses API as Codex uses it: a POST answered by server-sent events. */
export const responsesApi: ModelApi = {
  name: 'responses',
  matches: (method, path) => method === 'POST' && path.endsWith('/responses'),
  promptOf(body) {
    const instructions = typeof body.instructions === 'string' ? [body.instructions] : [];
    return [...instructions, ...textsOf(body.input)].join('\n');
  },
  send(reply, _body, response) {
    if (reply.kind === 'status') return sendStatus(reply, response);
    const id = `resp_${++responses}`;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    sendEvent(response, 'response.created', { response: { id } });
    if (reply.kind === 'cut') {
      // After the first event has left: the client must see a stream that began.
      setImmediate(() => response.destroy());
      return;
    }
    if (reply.kind === 'failed') {
      const error = { code: reply.type, message: reply.message };
      sendEvent(response, 'response.failed', { response: { id, status: 'failed', error } });
      response.end();
      return;
    }
    const item =
      reply.kind === 'answer'
        ? {
            type: 'message',
            id: `msg_${responses}`,
            role: 'assistant',
            content: [{ type: 'output_text', text: reply.text }],
          }
        : {
            type: 'function_call',
            id: `fc_${responses}`,
            call_id: `call_${responses}`,
            name: reply.name,
            ...(reply.namespace === undefined ? {} : { namespace: reply.namespace }),
            arguments: JSON.stringify(reply.arguments),
          };
    sendEvent(response, 'response.output_item.done', { item });
    sendEvent(response, 'response.completed', {
      response: { id, usage: usageOf(reply.usage ?? { input: 0, output: 0 }) },
    });
    response.end();
  },
};

let responses = 0;

function sendEvent(response: ServerResponse, type: string, data: Record<string, unknown>): void {
  response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
}

function sendStatus(reply: Extract<SendableReply, { kind: 'status' }>, response: ServerResponse): void {
  response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
  response.end(JSON.stringify(reply.body ?? { error: { message: `scripted ${reply.status}` } }));
}

function usageOf(usage: ScriptedUsage): Record<string, unknown> {
  return {
    input_tokens: usage.input,
    input_tokens_details: { cached_tokens: usage.cached ?? 0 },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
    total_tokens: usage.input + usage.output,
  };
}
