import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { retryAfterMs } from '../../src/workers/http/failures.ts';
import { createHttpWorker, type HttpEndpoint } from '../../src/workers/http/index.ts';
import type { WorkRequest } from '../../src/workers/index.ts';
import { type ChatReply, type ChatRequest, chatServer, completion, message } from '../support/chat-server.ts';
import { temporaryDirectory } from '../support/runs.ts';

const SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  additionalProperties: false,
  required: ['chunk_id'],
  properties: {
    chunk_id: { type: 'string', minLength: 1, maxLength: 128 },
    note: { type: 'string' },
    list: { type: 'array', items: { type: 'object', required: [], properties: { a: { type: 'integer' } } } },
  },
};

async function worker(
  reply: (request: ChatRequest) => ChatReply | Promise<ChatReply>,
  endpoint: Partial<HttpEndpoint> = {},
  env: NodeJS.ProcessEnv = { KEY: 'secret-key' },
) {
  const server = await chatServer(reply);
  const base_url = endpoint.api === 'anthropic' ? server.url : `${server.url}/v1`;
  const http = await createHttpWorker(
    { api: 'openai', base_url, key_variable: 'KEY', max_output_tokens: 4000, ...endpoint },
    env,
  );
  const directory = temporaryDirectory();
  const request = (change: Partial<WorkRequest> = {}): WorkRequest => ({
    id: 'j1',
    attempt: 1,
    instructions: 'Be exact.',
    input: 'What is it?',
    schema: { path: join(directory, 'schema.json'), value: SCHEMA },
    model: 'asked-model',
    effort: null,
    sandbox: { mode: 'read-only' },
    tools: false,
    cwd: directory,
    timeoutMs: 5_000,
    idleTimeoutMs: 5_000,
    promptPath: join(directory, 'prompt.txt'),
    logPath: join(directory, 'log.jsonl'),
    marks: {},
    signal: new AbortController().signal,
    ...change,
  });
  return {
    server,
    http,
    request,
    run: (change?: Partial<WorkRequest>) => http.run(request(change)),
    log: () => readFileSync(join(directory, 'log.jsonl'), 'utf8'),
  };
}

test('asks an OpenAI-compatible server with a strict schema, and reads answer, usage and model', async () => {
  const place = await worker(() => ({
    body: completion('{"chunk_id":"c","note":null,"list":[{"a":null}]}'),
  }));
  const result = await place.run();
  expect(result).toMatchObject({
    answer: '{"chunk_id":"c","list":[{}]}',
    model: 'served-model',
    costUsd: null,
    usage: { input_tokens: 100, cached_input_tokens: 40, output_tokens: 20, reasoning_output_tokens: 5 },
  });
  const [{ body, headers, path } = { body: {}, headers: {}, path: '' }] = place.server.requests;
  expect(path).toBe('/v1/chat/completions');
  expect(headers.authorization).toBe('Bearer secret-key');
  expect(body).toMatchObject({
    model: 'asked-model',
    messages: [
      { role: 'system', content: 'Be exact.' },
      { role: 'user', content: 'What is it?' },
    ],
    response_format: {
      type: 'json_schema',
      json_schema: {
        strict: true,
        schema: {
          additionalProperties: false,
          required: ['chunk_id', 'note', 'list'],
          properties: {
            chunk_id: { type: 'string' },
            note: { anyOf: [{ type: 'string' }, { type: 'null' }] },
          },
        },
      },
    },
  });
  expect(JSON.stringify(body)).not.toContain('maxLength');
  expect(place.log()).toContain('served-model');
  expect(place.log()).not.toContain('secret-key');
});

test("asks Anthropic's API through a tool that must be called, with the instructions marked for the cache", async () => {
  const place = await worker(
    () => ({
      body: message([{ type: 'tool_use', id: 't', name: 'answer', input: { chunk_id: 'c' } }], {
        stop_reason: 'tool_use',
      }),
    }),
    { api: 'anthropic' },
  );
  expect(await place.run()).toMatchObject({
    answer: '{"chunk_id":"c"}',
    model: 'served-claude',
    usage: { input_tokens: 100, cached_input_tokens: 30, output_tokens: 20 },
  });
  const [{ body, headers, path } = { body: {}, headers: {}, path: '' }] = place.server.requests;
  expect(path).toBe('/v1/messages');
  expect(headers.authorization).toBe('Bearer secret-key');
  expect(body).toMatchObject({
    system: [{ text: 'Be exact.', cache_control: { type: 'ephemeral' } }],
    tool_choice: { type: 'tool', name: 'answer' },
    max_tokens: 4000,
  });
});

test('falls back where a server knows no json_schema, once for all calls', async () => {
  const place = await worker(({ body }) => {
    const format = (body.response_format as { type?: string } | undefined)?.type;
    return format === undefined
      ? { body: completion('{"chunk_id":"c"}') }
      : {
          status: 400,
          body: {
            error: { message: `response_format ${format} is not supported`, type: 'invalid_request_error' },
          },
        };
  });
  expect((await place.run()).answer).toBe('{"chunk_id":"c"}');
  expect(place.server.requests).toHaveLength(3);
  await place.run();
  expect(place.server.requests).toHaveLength(4);
});

const openaiError = (status: number, code: string, text: string, headers: Record<string, string> = {}) => ({
  status,
  headers,
  body: { error: { message: text, type: code, code, param: null } },
});
const anthropicError = (status: number, type: string, text: string) => ({
  status,
  body: { type: 'error', error: { type, message: text } },
});

test.each<[string, HttpEndpoint['api'], ChatReply, Record<string, unknown>]>([
  [
    'a used-up quota',
    'openai',
    openaiError(429, 'insufficient_quota', 'You exceeded your current quota'),
    { class: 'quota' },
  ],
  [
    'too many requests, with its wait',
    'openai',
    openaiError(429, 'rate_limit_exceeded', 'slow down', { 'retry-after': '7' }),
    { class: 'throttled', retry_after_ms: 7000 },
  ],
  ['a wrong key', 'openai', openaiError(401, 'invalid_api_key', 'Incorrect API key'), { class: 'auth' }],
  ['a forbidden model', 'openai', openaiError(403, '', 'no access'), { class: 'auth' }],
  ['an unknown model', 'openai', openaiError(404, 'model_not_found', 'no such model'), { class: 'config' }],
  [
    'a prompt that is too long',
    'openai',
    openaiError(400, 'context_length_exceeded', 'too long'),
    { class: 'overflow' },
  ],
  [
    'a prompt that llama.cpp finds too long',
    'openai',
    openaiError(400, 'invalid_request_error', 'the request exceeds the available context size'),
    { class: 'overflow' },
  ],
  [
    'a wrong request',
    'openai',
    openaiError(400, 'invalid_request_error', 'temperature is wrong'),
    { class: 'config' },
  ],
  [
    'a server that fails',
    'openai',
    openaiError(503, 'server_error', 'try later', { 'retry-after-ms': '250' }),
    { class: 'server', retry_after_ms: 250 },
  ],
  ['a cut connection', 'openai', { cut: true, body: null }, { class: 'network' }],
  [
    'an answer that was cut',
    'openai',
    { body: completion('{"chu', {}, { finish_reason: 'length' }) },
    { class: 'invalid_output' },
  ],
  [
    'a refusal',
    'openai',
    { body: completion('', {}, { message: { role: 'assistant', content: null, refusal: 'I will not' } }) },
    { class: 'invalid_output', message: 'the model refused: I will not' },
  ],
  ['a server without a choice', 'openai', { body: { ...completion(''), choices: [] } }, { class: 'server' }],
  [
    'no credit',
    'anthropic',
    anthropicError(400, 'invalid_request_error', 'Your credit balance is too low'),
    { class: 'quota' },
  ],
  ['a rate limit', 'anthropic', anthropicError(429, 'rate_limit_error', 'slow down'), { class: 'throttled' }],
  ['an overload', 'anthropic', anthropicError(529, 'overloaded_error', 'Overloaded'), { class: 'server' }],
  [
    'a wrong key',
    'anthropic',
    anthropicError(401, 'authentication_error', 'invalid x-api-key'),
    { class: 'auth' },
  ],
  [
    'a prompt that is too long',
    'anthropic',
    anthropicError(400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000'),
    { class: 'overflow' },
  ],
  [
    'an answer that was cut',
    'anthropic',
    { body: message([{ type: 'text', text: '{' }], { stop_reason: 'max_tokens' }) },
    { class: 'invalid_output' },
  ],
])('%s of %s has its class', async (_, api, reply, failure) => {
  const place = await worker(() => reply, { api });
  const result = await place.run();
  expect(result.failure).toMatchObject(failure);
  expect(result.answer).toBeUndefined();
  expect(place.server.requests).toHaveLength(1);
});

test('a server that is not there is a network error, a slow one a timeout, a cancel is a cancel', async () => {
  const place = await worker(() => ({ delayMs: 2_000, body: completion('{}') }));
  expect((await place.run({ timeoutMs: 100 })).failure).toEqual({
    class: 'timeout',
    message: 'the model did not answer within 100 ms',
  });
  const abort = new AbortController();
  const cancelled = place.run({ signal: abort.signal });
  abort.abort();
  expect((await cancelled).failure?.class).toBe('cancelled');
  const nobody = await createHttpWorker(
    { api: 'openai', base_url: 'http://127.0.0.1:59998/v1', max_output_tokens: 100 },
    {},
  );
  expect((await nobody.run(place.request())).failure).toMatchObject({
    class: 'network',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test('a key that is not set is said before any call, by the name of its variable', async () => {
  await expect(
    createHttpWorker({ api: 'openai', key_variable: 'MY_KEY', max_output_tokens: 1 }, {}),
  ).rejects.toThrow(/MY_KEY/);
});

test('a call that needs tools is refused: there are none', async () => {
  const place = await worker(() => ({ body: completion('x') }));
  expect((await place.run({ tools: true })).failure?.class).toBe('config');
  expect(place.server.requests).toHaveLength(0);
});

test('waits are read in seconds, milliseconds and as a date', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(retryAfterMs(new Headers({ 'retry-after': '1.5' }), now)).toBe(1500);
  expect(retryAfterMs(new Headers({ 'retry-after-ms': '20', 'retry-after': '9' }), now)).toBe(20);
  expect(retryAfterMs(new Headers({ 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }), now)).toBe(30_000);
  expect(retryAfterMs(new Headers({ 'retry-after': 'soon' }), now)).toBeUndefined();
  expect(retryAfterMs(new Headers(), now)).toBeUndefined();
});
