import type { Config } from '../config/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { createCodexWorker } from './codex/index.ts';
import { createCommandWorker } from './command/index.ts';
import { createExtractiveWorker } from './extractive/index.ts';
import type { Worker, WorkerName } from './worker.ts';

/** Who is to answer, as the caller of a flow says. */
export interface WorkerChoice {
  worker: 'auto' | WorkerName;
  lane: 'auto' | 'exec' | 'app-server';
  runnerScript?: string | undefined;
  argv?: string[] | undefined;
  profile?: string | undefined;
  codexHome?: string | undefined;
  workerCwd?: string | undefined;
  skipGitRepoCheck?: boolean | undefined;
}

/** What the choice depends on besides. */
export interface WorkerSurroundings {
  root: string;
  config: Config;
  /** Environment marks of processes that serve many calls. */
  marks: Record<string, string>;
}

/**
 * Makes the worker that was asked for; `auto` takes the first that is installed and logged in.
 *
 * @returns the worker, and in words why it is this one
 */
export async function createWorker(
  choice: WorkerChoice,
  surroundings: WorkerSurroundings,
): Promise<{ worker: Worker; why: string }> {
  const { root, config, marks } = surroundings;
  switch (choice.worker) {
    case 'command': {
      const environment = config.worker_env;
      if (choice.argv !== undefined) return { worker: createCommandWorker({ argv: choice.argv, environment }), why: 'a command was given' };
      if (choice.runnerScript === undefined) {
        throw new RlmError('usage', 'the command worker needs a runner script or a command');
      }
      const { runnerScript, profile, codexHome, workerCwd, skipGitRepoCheck } = choice;
      return {
        worker: createCommandWorker({ runnerScript, profile, codexHome, workerCwd, skipGitRepoCheck, environment }),
        why: 'a runner script was given',
      };
    }
    case 'extractive':
      return { worker: createExtractiveWorker(), why: 'asked for' };
    case 'codex':
      return { worker: await codex(), why: 'asked for' };
    case 'claude':
      throw new RlmError('unavailable', 'the Claude worker is not there yet');
    case 'auto':
      try {
        return { worker: await codex(), why: 'Codex is installed' };
      } catch (error) {
        return { worker: createExtractiveWorker(), why: `no Codex: ${messageOf(error)}` };
      }
  }
  function codex() {
    return createCodexWorker({
      root,
      lane: choice.lane,
      codexHome: choice.codexHome,
      profile: choice.profile,
      extraEnvNames: config.worker_env,
      marks,
    });
  }
}
