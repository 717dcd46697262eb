import { messageOf, RlmError } from '../errors.ts';
import { createWorker } from '../workers/index.ts';
import { fail, ok, type Surroundings, warn } from './finding.ts';
import type { Finding } from './report.ts';

/** Who would answer a batch that names no worker, found out by making that worker. */
export async function checkChoice({ env, config, scratch }: Surroundings): Promise<Finding> {
  const check = 'worker';
  if (config.worker === 'command') {
    return ok(check, 'the configuration says command: each batch names its program or runner script');
  }
  try {
    const { worker, why } = await createWorker(
      { worker: config.worker, lane: config.lane, profile: env.CODEX_SUBAGENT_PROFILE || undefined },
      { root: scratch, config, marks: {}, env },
    );
    await worker.close();
    const name = worker.lane === null ? worker.name : `${worker.name} (${worker.lane})`;
    const detail = `${config.worker} takes ${name}: ${why}`;
    return config.worker === 'auto' && worker.name === 'extractive'
      ? warn(check, detail, 'For answers by a model, install and log in to Codex or Claude Code.')
      : ok(check, detail);
  } catch (error) {
    const hint = error instanceof RlmError ? error.hint.text : undefined;
    return fail(
      check,
      `${config.worker}: ${messageOf(error)}`,
      hint ?? 'Set "worker" in .rlm/config.json to auto.',
    );
  }
}
