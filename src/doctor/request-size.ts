import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClaudeWorker } from '../workers/claude/index.ts';
import { createCodexWorker } from '../workers/codex/index.ts';
import type { Worker } from '../workers/index.ts';
import type { Surroundings } from './finding.ts';
import { startLoopbackModel } from './loopback-model.ts';
import { SAMPLE_ANSWER, sampleRequest } from './sample-call.ts';

/** What a worker call may send besides its question and chunk, bytes: it is paid for again with every call. */
export const REQUEST_LIMIT_BYTES = 4096;
const TIMEOUT_MS = 30_000;

/** Bytes of one request besides its question and chunk, or why they could not be measured. */
export type Measurement = { bytes: number } | { failure: string };

/** A lane of Codex, measured by a real call of it to a model on loopback. */
export function measureCodex(surroundings: Surroundings, lane: 'exec' | 'app-server'): Promise<Measurement> {
  return measure(surroundings, `codex-${lane}`, async (url, directory) => {
    const codexHome = join(directory, 'home', '.codex');
    mkdirSync(codexHome, { recursive: true });
    writeFileSync(join(codexHome, 'config.toml'), loopbackProvider(url));
    const env = { ...isolated(surroundings, directory), CODEX_HOME: codexHome };
    const { models, effort } = surroundings.config;
    return { worker: await createCodexWorker({ root: directory, lane, env }), model: models.codex, effort };
  });
}

/**
 * Claude, measured the same way.
 *
 * @param login as the user's own: with a key the request is leaner than with an account
 */
export function measureClaude(surroundings: Surroundings, login: 'key' | 'account'): Promise<Measurement> {
  return measure(surroundings, 'claude', async (url, directory) => {
    const env = {
      ...isolated(surroundings, directory),
      ANTHROPIC_BASE_URL: url,
      [login === 'key' ? 'ANTHROPIC_API_KEY' : 'CLAUDE_CODE_OAUTH_TOKEN']: 'sk-ant-loopback',
    };
    const worker = await createClaudeWorker({ root: directory, env });
    return { worker, model: surroundings.config.models.claude, effort: null };
  });
}

async function measure(
  { scratch, signal }: Surroundings,
  name: string,
  prepare: (
    url: string,
    directory: string,
  ) => Promise<{ worker: Worker; model: string; effort: string | null }>,
): Promise<Measurement> {
  const directory = join(scratch, name);
  mkdirSync(join(directory, 'home'), { recursive: true });
  const model = await startLoopbackModel(SAMPLE_ANSWER);
  try {
    const { worker, ...choice } = await prepare(model.url, directory);
    try {
      const request = sampleRequest(join(directory, 'call'), { ...choice, timeoutMs: TIMEOUT_MS, signal });
      const { failure } = await worker.run(request);
      if (failure !== undefined) return { failure: `${failure.class}: ${failure.message}` };
      return sizeOf(model.bodies, request.input);
    } finally {
      await worker.close();
    }
  } finally {
    await model.close();
  }
}

/** The whole request counts: instructions, the answer's schema, and what the program adds of itself. */
function sizeOf(bodies: readonly string[], input: string): Measurement {
  // As it stands in JSON, without the quotes.
  const varying = JSON.stringify(input.trimEnd()).slice(1, -1);
  const body = bodies.find((one) => one.includes(varying));
  return body === undefined
    ? { failure: 'it answered without sending the chunk' }
    : { bytes: Buffer.byteLength(body) - Buffer.byteLength(varying) };
}

/** Nothing of the user's own set-up and no login: only which programs there are. */
function isolated({ env }: Surroundings, directory: string): Record<string, string> {
  const kept = ['PATH', 'PATHEXT', 'SystemRoot', 'RLM_CODEX', 'RLM_CLAUDE', 'LANG'];
  const own = Object.fromEntries(
    kept.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  return { ...own, HOME: join(directory, 'home'), TMPDIR: directory };
}

function loopbackProvider(url: string): string {
  return `model_provider = "loopback"
[model_providers.loopback]
name = "loopback"
base_url = "${url}/v1"
wire_api = "responses"
requires_openai_auth = false
supports_websockets = false
`;
}
