import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { estimateTokenCount } from 'tokenx';
import { z } from 'zod';
import { CHUNK_INSTRUCTIONS, chunkInput } from '../batch/index.ts';
import { type Usage, WorkerAnswer, type WorkParams } from '../contracts/index.ts';
import { resolveWork } from '../dispatch/index.ts';
import { messageOf } from '../errors.ts';
import { createClaudeWorker } from '../workers/claude/index.ts';
import { createCodexWorker } from '../workers/codex/index.ts';
import { createWorker, type Worker, type WorkRequest } from '../workers/index.ts';
import { startLoopbackModel } from './loopback-model.ts';
import { type Baseline, type Finding, fail, ok, type Surroundings, warn } from './report.ts';

const SAMPLE_CHUNK = 'The sky over the harbour is blue today.\n';
const CHUNK_ID = 'doctor';

/** An answer that passes as one about the sample chunk. */
const SAMPLE_ANSWER = JSON.stringify({
  chunk_id: CHUNK_ID,
  relevant: true,
  summary: 'The sky is blue.',
  confidence: 1,
  evidence: [],
  gaps: [],
  errors: [],
} satisfies WorkerAnswer);

/**
 * A chunk job as the batch would send it: its instructions, its prompt, the schema of its answer.
 *
 * @param directory gets the prompt, the schema and the log
 */
function sampleRequest(
  directory: string,
  choice: { model: string | null; effort: string | null; timeoutMs: number; signal: AbortSignal },
): WorkRequest {
  mkdirSync(directory, { recursive: true });
  const { $schema: _dialect, ...schema } = z.toJSONSchema(WorkerAnswer);
  const schemaPath = join(directory, 'schema.json');
  writeFileSync(schemaPath, JSON.stringify(schema));
  const input = chunkInput(
    'What colour is the sky?',
    { chunkId: CHUNK_ID, parts: [{ source: 'doctor.md', lineStart: 1, text: SAMPLE_CHUNK }] },
    'doctor.md',
  );
  const promptPath = join(directory, 'prompt.txt');
  writeFileSync(promptPath, `${CHUNK_INSTRUCTIONS}\n${input}`);
  return {
    id: 'doctor',
    attempt: 1,
    instructions: CHUNK_INSTRUCTIONS,
    input,
    schema: { path: schemaPath, value: schema },
    model: choice.model,
    effort: choice.effort,
    sandbox: { mode: 'read-only' },
    tools: false,
    cwd: directory,
    timeoutMs: choice.timeoutMs,
    idleTimeoutMs: choice.timeoutMs,
    promptPath,
    logPath: join(directory, 'log.jsonl'),
    marks: {},
    signal: choice.signal,
  };
}

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
  // As JSON has it, without the quotes.
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

const BASELINE_TIMEOUT_MS = 120_000;
const BASELINE_CHECK = 'token baseline';

interface Measured {
  finding: Finding;
  baseline: Baseline | undefined;
}

/** The work options of a batch that says nothing itself. @throws RlmError for a configured path that is not there */
export function defaultWork({ root, env, config }: Surroundings): WorkParams {
  return resolveWork({}, { root, cwd: root, config, allowedRoots: null, environment: env });
}

/** Calls the worker that a batch would take, once, for real: it costs a few thousand tokens. */
export async function measureBaseline(surroundings: Surroundings): Promise<Measured> {
  const { env, config, scratch } = surroundings;
  try {
    const { worker } = await createWorker(defaultWork(surroundings), {
      root: scratch,
      config,
      marks: {},
      env,
    });
    try {
      return await callOnce(worker, surroundings);
    } finally {
      await worker.close();
    }
  } catch (error) {
    return none(fail(BASELINE_CHECK, messageOf(error), 'See the findings above.'));
  }
}

function none(finding: Finding): Measured {
  return { finding, baseline: undefined };
}

async function callOnce(worker: Worker, surroundings: Surroundings): Promise<Measured> {
  const { env, config, scratch, signal } = surroundings;
  if (worker.name === 'extractive') {
    const why = 'no model is available, so there is nothing to measure';
    return none(warn(BASELINE_CHECK, why, 'Log in to Codex or Claude Code.'));
  }
  const own = worker.name === 'claude' ? config.models.claude : config.models.codex;
  const model = env.CODEX_SUBAGENT_MODEL || own;
  const effort = worker.name === 'codex' ? config.effort : null;
  const directory = join(scratch, 'baseline');
  mkdirSync(directory);
  const request = sampleRequest(directory, { model, effort, timeoutMs: BASELINE_TIMEOUT_MS, signal });
  const result = await worker.run(request);
  if (result.failure !== undefined) {
    const { class: kind, message } = result.failure;
    return none(
      fail(BASELINE_CHECK, `the call failed as ${kind}: ${message}`, FIXES[kind] ?? 'Try again later.'),
    );
  }
  const sent = request.instructions + request.input + JSON.stringify(request.schema?.value);
  const estimated = { prompt: estimateTokenCount(sent), answer: estimateTokenCount(result.answer ?? '') };
  const baseline: Baseline = {
    worker: worker.lane === null ? worker.name : `${worker.name}/${worker.lane}`,
    model: result.model,
    usage: result.usage,
    cost_usd: result.costUsd,
    duration_ms: Math.round(result.durationMs),
    prompt_tokens: estimated.prompt,
    answer_tokens: estimated.answer,
    reading: readUsage(result.usage, estimated),
  };
  const { input_tokens, cached_input_tokens, output_tokens } = result.usage;
  const tokens = `${input_tokens} tokens in (${cached_input_tokens} cached), ${output_tokens} out`;
  return { finding: ok(BASELINE_CHECK, `${tokens}. ${baseline.reading.join(' ')}`), baseline };
}

const FIXES: Readonly<Record<string, string>> = {
  auth: 'Log in: `codex login` or `claude auth login`.',
  quota: 'Wait until the allowance resets, or use another worker.',
  config: 'Check "models" in .rlm/config.json: the account may not have that model.',
  network: 'Check the network and the proxy.',
};

/**
 * What a call's usage says: much output and little text is reasoning, much
 * input is a fixed prefix, cached input lowers the cost and not the count.
 *
 * @param estimated tokens of what we sent and of the text that came back
 */
export function readUsage(usage: Usage, estimated: { prompt: number; answer: number }): string[] {
  const hidden = Math.max(usage.reasoning_output_tokens, usage.output_tokens - estimated.answer);
  const prefix = usage.input_tokens - estimated.prompt;
  const reading: string[] = [];
  if (hidden > Math.max(100, estimated.answer)) {
    reading.push(
      `Reasoning dominates the output: about ${hidden} of ${usage.output_tokens} tokens. Lower "effort".`,
    );
  }
  if (prefix > Math.max(500, estimated.prompt)) {
    reading.push(
      `A fixed prefix dominates the input: about ${prefix} tokens that we did not send. Pack more into a chunk.`,
    );
  }
  if (usage.cached_input_tokens > 0) {
    reading.push(
      `Caching is active for ${usage.cached_input_tokens} tokens: it lowers cost and delay, not the count.`,
    );
  }
  return reading.length > 0 ? reading : ['Lean: neither reasoning nor a fixed prefix dominates.'];
}
