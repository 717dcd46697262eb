import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';

/** The tool by which Claude Code has a `--json-schema` answered. */
const ANSWER_TOOL = 'StructuredOutput';
/** No request that a lean worker makes comes near this, bytes. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** A model provider on 127.0.0.1 that gives every call the same answer, and remembers what it was asked. */
export interface LoopbackModel {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly url: string;
  /** Bodies of the model calls, in order of arrival. */
  readonly bodies: readonly string[];
  close(): Promise<void>;
}

/**
 * Starts one. It speaks as much of OpenAI's Responses API and Anthropic's Messages API as Codex and Claude
 * need for one turn, and answers everything else with 404.
 *
 * @param answer text of every answer, a JSON object
 */
export async function startLoopbackModel(answer: string): Promise<LoopbackModel> {
  // Not imported above: it would cost every start of the server 17 ms.
  const { createServer } = await import('node:http');
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    reply(request, response, answer, bodies).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port on 127.0.0.1');
  return {
    url: `http://127.0.0.1:${address.port}`,
    bodies,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function reply(
  request: IncomingMessage,
  response: ServerResponse,
  answer: string,
  bodies: string[],
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const send =
    request.method === 'POST' ? DIALECTS.find(({ path }) => pathname.endsWith(path))?.send : undefined;
  if (send === undefined) {
    request.resume();
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end('{"error":{"message":"not here"}}');
    return;
  }
  const body = await readBody(request);
  bodies.push(body);
  send(JSON.parse(body), answer, response);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new Error('the request is too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

const DIALECTS: readonly {
  path: string;
  send(body: unknown, answer: string, response: ServerResponse): void;
}[] = [
  { path: '/responses', send: (_, answer, response) => sendResponse(answer, response) },
  { path: '/v1/messages', send: sendMessage },
];

function sendResponse(answer: string, response: ServerResponse): void {
  const id = 'resp_1';
  const content = [{ type: 'output_text', text: answer }];
  sendEvents(response, [
    { type: 'response.created', response: { id } },
    { type: 'response.output_item.done', item: { type: 'message', id: 'msg_1', role: 'assistant', content } },
    {
      type: 'response.completed',
      response: { id, usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } },
    },
  ]);
}

const MessageRequest = z.looseObject({
  model: z.string().catch('loopback'),
  tools: z.array(z.looseObject({ name: z.string().optional() })).catch([]),
  messages: z.array(z.unknown()).catch([]),
});

function sendMessage(body: unknown, answer: string, response: ServerResponse): void {
  const { model, tools, messages } = MessageRequest.parse(body);
  const answered = JSON.stringify(messages.at(-1) ?? null).includes('"tool_result"');
  const byTool = !answered && tools.some(({ name }) => name === ANSWER_TOOL);
  const [block, delta] = byTool
    ? [
        { type: 'tool_use', id: 'toolu_1', name: ANSWER_TOOL, input: {} },
        { type: 'input_json_delta', partial_json: answer },
      ]
    : [
        { type: 'text', text: '' },
        { type: 'text_delta', text: answer },
      ];
  const usage = { input_tokens: 1, output_tokens: 1 };
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model, content: [], usage };
  sendEvents(response, [
    { type: 'message_start', message: { ...message, stop_reason: null, stop_sequence: null } },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: byTool ? 'tool_use' : 'end_turn', stop_sequence: null },
      usage: { output_tokens: 1 },
    },
    { type: 'message_stop' },
  ]);
}

function sendEvents(response: ServerResponse, events: (Record<string, unknown> & { type: string })[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of events) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  response.end();
}
