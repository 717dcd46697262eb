import type { Config } from '../config/index.ts';
import type { WorkOptions, WorkParams } from '../contracts/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import type { Worker } from './worker.ts';

/** Who is to answer, and how it is called. */
export type WorkerChoice = Pick<
  WorkOptions,
  'command' | 'runner_script' | 'profile' | 'codex_home' | 'worker_cwd' | 'skip_git_repo_check'
> &
  Pick<WorkParams, 'worker' | 'lane'>;

/** What the choice depends on besides. */
interface WorkerSurroundings {
  root: string;
  config: Config;
  /** Environment marks of processes that serve many calls. */
  marks: Record<string, string>;
  /** Ours unless given. */
  env?: NodeJS.ProcessEnv | undefined;
  /** The work reads and writes files: a model without tools cannot do it. */
  needsTools?: boolean | undefined;
}

/** A worker, and in words why it is this one. */
interface ChosenWorker {
  worker: Worker;
  why: string;
}

/**
 * Makes the worker that was asked for; the code of the others is not loaded. `auto` takes Codex, then Claude, each if
 * installed and logged in, then a configured http model, then the extractive reader.
 *
 * @throws RlmError `usage` when the choice does not say enough, `unavailable` when the program is not there
 */
export async function createWorker(
  choice: WorkerChoice,
  surroundings: WorkerSurroundings,
): Promise<ChosenWorker> {
  const { worker, why } = await choose(choice, surroundings);
  return { worker, why: worker.note === undefined ? why : `${why}; ${worker.note}` };
}

async function choose(choice: WorkerChoice, surroundings: WorkerSurroundings): Promise<ChosenWorker> {
  switch (choice.worker) {
    case 'command':
      return command(choice, surroundings);
    case 'extractive':
      if (surroundings.needsTools === true) throw withoutTools('the extractive reader');
      return { worker: await extractive(), why: 'the extractive reader was asked for' };
    case 'codex':
      return { worker: await codex(choice, surroundings), why: 'Codex was asked for' };
    case 'claude':
      return { worker: await claude(surroundings), why: 'Claude was asked for' };
    case 'http':
      return { worker: await http(surroundings), why: 'the configured http model was asked for' };
    case 'auto':
      return automatic(choice, surroundings);
  }
}

async function automatic(choice: WorkerChoice, surroundings: WorkerSurroundings): Promise<ChosenWorker> {
  const { env = process.env } = surroundings;
  const passedBy: string[] = [];
  const chosen = (worker: Worker, reason: string): ChosenWorker => ({
    worker,
    why: [...passedBy, reason].join('; '),
  });
  try {
    const { findCodexLogin, requireCodex } = await import('./codex/index.ts');
    const login = findCodexLogin(choice.codex_home, env);
    if (login.kind === 'none') {
      await requireCodex(surroundings.root, env);
      passedBy.push('Codex is installed but not logged in (codex login)');
    } else
      return chosen(await codex(choice, surroundings), `Codex is installed and logged in (${login.where})`);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    passedBy.push(`no Codex: ${messageOf(error)}`);
  }
  try {
    const { findClaude, findLogin } = await import('./claude/index.ts');
    findClaude(undefined, env);
    const login = findLogin(env);
    if (login === 'none') passedBy.push('Claude is installed but not logged in (claude auth login)');
    else return chosen(await claude(surroundings), `Claude is installed and logged in (${login})`);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    passedBy.push(`no Claude: ${messageOf(error)}`);
  }
  const endpoint = surroundings.config.http;
  if (endpoint !== undefined && surroundings.needsTools !== true) {
    try {
      return chosen(await http(surroundings), `the model ${endpoint.model} is configured`);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      passedBy.push(`no http model: ${messageOf(error)}`);
    }
  }
  if (surroundings.needsTools === true) {
    throw new RlmError('unavailable', `no worker is ready that can use files: ${passedBy.join('; ')}`, {
      hint: { text: 'Install one and log in, or give a command.', action: { tool: 'rlm_doctor', args: {} } },
    });
  }
  return chosen(await extractive(), 'so the embedded extractive reader quotes, without a model');
}

/** A program that is not there is passed by; a setting that is wrong must be seen. */
function isUnavailable(error: unknown): boolean {
  return error instanceof RlmError && error.code === 'unavailable';
}

async function command(choice: WorkerChoice, { config }: WorkerSurroundings): Promise<ChosenWorker> {
  const { createCommandWorker } = await import('./command.ts');
  const environment = config.worker_env;
  if (choice.runner_script !== undefined) {
    const script = { ...choice, runner_script: choice.runner_script };
    return { worker: createCommandWorker({ ...script, environment }), why: 'a runner script was given' };
  }
  if (choice.command !== undefined) {
    const worker = createCommandWorker({ argv: choice.command, environment });
    return { worker, why: 'a command was given' };
  }
  throw new RlmError('usage', 'the command worker needs a runner script or a command', {
    hint: 'Give a runner script, or a command and its arguments.',
  });
}

async function codex(choice: WorkerChoice, surroundings: WorkerSurroundings): Promise<Worker> {
  const { createCodexWorker } = await import('./codex/index.ts');
  const { root, config, marks, env } = surroundings;
  const { lane, codex_home, profile, worker_cwd } = choice;
  const extraEnvNames = config.worker_env;
  return createCodexWorker({ root, lane, codex_home, profile, worker_cwd, extraEnvNames, marks, env });
}

async function claude({ root, config, env }: WorkerSurroundings): Promise<Worker> {
  const { createClaudeWorker } = await import('./claude/index.ts');
  return createClaudeWorker({ root, extraEnvNames: config.worker_env, env });
}

async function http({ config, env, needsTools }: WorkerSurroundings): Promise<Worker> {
  if (config.http === undefined) {
    throw new RlmError('usage', 'no http model is configured', {
      hint: 'Put one under "http" in .rlm/config.json: {"base_url", "model", "key_variable"}.',
    });
  }
  if (needsTools === true) throw withoutTools('the http worker');
  const { createHttpWorker } = await import('./http/index.ts');
  return createHttpWorker(config.http, env);
}

function withoutTools(name: string): RlmError {
  return new RlmError('usage', `${name} has no tools, and this work reads and writes files`, {
    hint: 'Use codex, claude, or a command.',
  });
}

async function extractive(): Promise<Worker> {
  const { createExtractiveWorker } = await import('./extractive/index.ts');
  return createExtractiveWorker();
}
