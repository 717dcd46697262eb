import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { estimateTokenCount } from 'tokenx';
import type { Usage } from '../contracts/index.ts';
import { messageOf } from '../errors.ts';
import { createWorker, type Worker } from '../workers/index.ts';
import { fail, ok, type Surroundings, warn } from './finding.ts';
import type { Baseline, Finding } from './report.ts';
import { sampleRequest } from './sample-call.ts';

const TIMEOUT_MS = 120_000;
const CHECK = 'token baseline';

interface Measured {
  finding: Finding;
  baseline: Baseline | undefined;
}

/** Calls the worker that a batch would take, once, for real: it costs a few thousand tokens. */
export async function measureBaseline(surroundings: Surroundings): Promise<Measured> {
  const { env, config, scratch } = surroundings;
  const choice = {
    worker: config.worker,
    lane: config.lane,
    profile: env.CODEX_SUBAGENT_PROFILE || undefined,
  };
  try {
    const { worker } = await createWorker(choice, { root: scratch, config, marks: {}, env });
    try {
      return await measure(worker, surroundings);
    } finally {
      await worker.close();
    }
  } catch (error) {
    return none(fail(CHECK, messageOf(error), 'See the findings above.'));
  }
}

function none(finding: Finding): Measured {
  return { finding, baseline: undefined };
}

async function measure(worker: Worker, surroundings: Surroundings): Promise<Measured> {
  const { env, config, scratch, signal } = surroundings;
  if (worker.name === 'extractive') {
    const nobody = 'no model is at hand, so there is nothing to measure';
    return none(warn(CHECK, nobody, 'Log in to Codex or Claude Code.'));
  }
  const own = worker.name === 'claude' ? config.models.claude : config.models.codex;
  const model = env.CODEX_SUBAGENT_MODEL || own;
  const effort = worker.name === 'codex' ? config.effort : null;
  const directory = join(scratch, 'baseline');
  mkdirSync(directory);
  const request = sampleRequest(directory, { model, effort, timeoutMs: TIMEOUT_MS, signal });
  const result = await worker.run(request);
  if (result.failure !== undefined) {
    const { class: kind, message } = result.failure;
    return none(fail(CHECK, `the call failed as ${kind}: ${message}`, FIXES[kind] ?? 'Try again later.'));
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
  return { finding: ok(CHECK, `${tokens}. ${baseline.reading.join(' ')}`), baseline };
}

const FIXES: Readonly<Record<string, string>> = {
  auth: 'Log in: `codex login` or `claude auth login`.',
  quota: 'Wait until the allowance resets, or use another worker.',
  config: 'Check "models" in .rlm/config.json: the account may not have that model.',
  network: 'Check the network and the proxy.',
};

/**
 * What a call's usage says (seed 001, "Token Budget Baseline"): much output and little text is reasoning, much
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
