import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { ModelApi } from './model-server/api.ts';
import { messagesApi } from './model-server/messages-api.ts';
import { responsesApi } from './model-server/responses-api.ts';
import type { Script } from './script.ts';

/** Dialects the server speaks; a new one is one file and one line here. */
const APIS: readonly ModelApi[] = [responsesApi, messagesApi];

/** One model call as the server saw it. */
export interface RecordedCall {
  api: string;
  prompt: string;
  body: Record<string, unknown>;
  /** Bytes of the request's body. */
  bytes: number;
  /** The Authorization header, for what proves a login. */
  authorization: string | undefined;
  /** HTTP status sent; 0 for a request that was left hanging. */
  status: number;
  /** When it had arrived, and when its reply was sent (0 before): milliseconds of one clock. */
  arrivedAt: number;
  repliedAt: number;
}

export interface ModelServer {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly url: string;
  readonly port: number;
  /** In order of arrival. */
  readonly calls: RecordedCall[];
  /** Method and path of requests that no dialect knows (answered with 404). */
  readonly strays: string[];
  /** Most calls that were open at one time. */
  readonly maxConcurrent: number;
  /** Calls whose reply was not yet ended and whose client is still there. */
  readonly open: number;
  close(): Promise<void>;
}

/** A model provider on loopback whose every reply comes from `script`. */
export async function startModelServer(script: Script): Promise<ModelServer> {
  const calls: RecordedCall[] = [];
  const strays: string[] = [];
  const seen = new Map<string, number>();
  let open = 0;
  let maxConcurrent = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname;
    const method = request.method ?? 'GET';
    const raw = await bodyOf(request);
    const api = APIS.find((one) => one.matches(method, path));
    if (api === undefined) {
      strays.push(`${method} ${path}`);
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message: `no such path: ${path}` } }));
      return;
    }
    open += 1;
    maxConcurrent = Math.max(maxConcurrent, open);
    response.once('close', () => {
      open -= 1;
    });
    const body: unknown = JSON.parse(raw.toString('utf8'));
    if (!isRecord(body)) throw new Error(`the request to ${path} is not a JSON object`);
    const prompt = api.promptOf(body);
    const key = script.keyOf(prompt);
    const earlier = seen.get(key) ?? 0;
    seen.set(key, earlier + 1);
    const { authorization } = request.headers;
    const call: RecordedCall = {
      api: api.name,
      prompt,
      body,
      bytes: raw.length,
      authorization,
      status: 0,
      arrivedAt: performance.now(),
      repliedAt: 0,
    };
    calls.push(call);
    const reply = await script.reply({ prompt, body, bytes: raw.length, earlier });
    if (reply.kind === 'hang') return;
    if (reply.kind === 'answer' && reply.delayMs !== undefined) await delay(reply.delayMs);
    call.status = reply.kind === 'status' ? reply.status : 200;
    call.repliedAt = performance.now();
    if (!response.destroyed) api.send(reply, body, response);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      // A fault of the script must fail the test that wrote it, not look like a fault of the model.
      strays.push(`${request.method} ${request.url}: ${String(error)}`);
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the model server has no port');

  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    calls,
    strays,
    get maxConcurrent() {
      return maxConcurrent;
    },
    get open() {
      return open;
    },
    close() {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
