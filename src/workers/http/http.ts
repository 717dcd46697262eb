import { appendFileSync } from 'node:fs';
import type { Failure } from '../../contracts/index.ts';
import { RlmError } from '../../errors.ts';
import { FILE_MODE } from '../../files/index.ts';
import { resultOfCall } from '../call.ts';
import type { Worker, WorkRequest, WorkResult } from '../worker.ts';
import type { HttpEndpoint, ModelApi } from './api.ts';
import { withoutNulls } from './strict-schema.ts';

/** Made when the worker is: an SDK takes a tenth of a second to load. */
async function openApi(endpoint: HttpEndpoint, key: string | undefined): Promise<ModelApi> {
  if (endpoint.api === 'anthropic') return (await import('./anthropic.ts')).anthropicApi(endpoint, key);
  return (await import('./openai.ts')).openaiApi(endpoint, key);
}

/**
 * Makes the worker that asks a model by its API: prompts only, no tools, nothing on this machine.
 *
 * @throws RlmError `unavailable` when the key is not in the environment
 */
export async function createHttpWorker(
  endpoint: HttpEndpoint,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Worker> {
  const key = endpoint.key_variable === undefined ? undefined : env[endpoint.key_variable] || undefined;
  if (endpoint.key_variable !== undefined && key === undefined) {
    throw new RlmError(
      'unavailable',
      `the variable ${endpoint.key_variable}, which holds the key of the http worker, is not set`,
      {
        hint: 'Set it where rlm is started; an MCP client may have to be told to pass it on.',
      },
    );
  }
  const api = await openApi(endpoint, key);
  const closing = new AbortController();
  return {
    name: 'http',
    lane: endpoint.api,
    version: '1',
    cacheIdentity: `${endpoint.api} ${endpoint.base_url ?? ''}`,
    run: (request) => resultOfCall('the http worker', request, () => call(api, request, closing.signal)),
    async close() {
      closing.abort();
    },
  };
}

async function call(api: ModelApi, request: WorkRequest, closing: AbortSignal): Promise<Partial<WorkResult>> {
  if (request.tools) {
    const message = 'the http worker has no tools: this call needs a worker that can read and write files';
    return { failure: { class: 'config', message } };
  }
  if (request.model === null)
    return { failure: { class: 'config', message: 'no model is configured for the http worker' } };
  const limit = AbortSignal.timeout(request.timeoutMs);
  const signal = AbortSignal.any([request.signal, closing, limit]);
  try {
    const reply = await api.ask(request, signal);
    log(request, reply.raw);
    const part = { usage: reply.usage, model: reply.model ?? request.model };
    return reply.failure === undefined
      ? { ...part, answer: plainAnswer(reply.text, request) }
      : { ...part, failure: reply.failure };
  } catch (error) {
    const failure = interrupted(request, closing, limit) ?? api.classify(error);
    if (failure === undefined) throw error;
    log(request, { error: failure });
    return { failure };
  }
}

function interrupted(request: WorkRequest, closing: AbortSignal, limit: AbortSignal): Failure | undefined {
  if (request.signal.aborted || closing.aborted)
    return { class: 'cancelled', message: 'the call was cancelled' };
  if (limit.aborted)
    return { class: 'timeout', message: `the model did not answer within ${request.timeoutMs} ms` };
  return undefined;
}

/** The text without what strict mode added to it. */
function plainAnswer(text: string, { schema }: WorkRequest): string {
  if (schema === undefined) return text;
  try {
    return JSON.stringify(withoutNulls(JSON.parse(text), schema.value));
  } catch {
    // Not JSON, or not only: for the flow to judge.
    return text;
  }
}

/** What came back, as one line; a request is in the prompt's file, and a key is in neither. */
function log(request: WorkRequest, value: unknown): void {
  appendFileSync(request.logPath, `${JSON.stringify(value)}\n`, { mode: FILE_MODE });
}
