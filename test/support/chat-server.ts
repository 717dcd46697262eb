import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A request as it came over the wire. */
export interface ChatRequest {
  path: string;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
  /** Everything the model reads, as one text. */
  prompt: string;
}

export interface ChatReply {
  status?: number;
  headers?: Record<string, string>;
  body: unknown;
  delayMs?: number;
  /** Cuts the connection instead. */
  cut?: boolean;
}

/** A server that speaks OpenAI's chat completions and Anthropic's messages, by a script of the test. */
export async function chatServer(reply: (request: ChatRequest) => ChatReply | Promise<ChatReply>) {
  const requests: ChatRequest[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', async () => {
      const body = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString('utf8'));
      const request = { path: incoming.url ?? '', headers: incoming.headers, body, prompt: promptOf(body) };
      requests.push(request);
      const said = await reply(request);
      if (said.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, said.delayMs));
      if (said.cut) incoming.socket.destroy();
      else send(response, said);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests };
}

function send(response: ServerResponse, { status = 200, headers = {}, body }: ChatReply): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function promptOf(body: { system?: unknown; messages?: { content: unknown }[] }): string {
  const text = (content: unknown): string =>
    typeof content === 'string'
      ? content
      : Array.isArray(content)
        ? content.map((part: { text?: string }) => part.text ?? '').join('\n')
        : '';
  return [text(body.system), ...(body.messages ?? []).map(({ content }) => text(content))].join('\n');
}

/** A chat completion as OpenAI sends it. */
export function completion(
  text: string,
  more: Record<string, unknown> = {},
  choice: Record<string, unknown> = {},
) {
  return {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'served-model',
    choices: [
      {
        index: 0,
        finish_reason: 'stop',
        message: { role: 'assistant', content: text, refusal: null },
        ...choice,
      },
    ],
    usage: {
      prompt_tokens: 100,
      completion_tokens: 20,
      total_tokens: 120,
      prompt_tokens_details: { cached_tokens: 40 },
      completion_tokens_details: { reasoning_tokens: 5 },
    },
    ...more,
  };
}

/** A message as Anthropic sends it. */
export function message(content: unknown[], more: Record<string, unknown> = {}) {
  return {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'served-claude',
    content,
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: {
      input_tokens: 60,
      cache_creation_input_tokens: 10,
      cache_read_input_tokens: 30,
      output_tokens: 20,
    },
    ...more,
  };
}
