import { existsSync, statSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import type { Config } from '../config/index.ts';
import { limitsOf, type WorkOptions, WorkParams } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { ensureDirectory } from '../files/index.ts';
import { noPrice } from './budget.ts';

/** The caller of a flow: where relative paths start, and what is allowed. */
export interface Caller {
  root: string;
  cwd: string;
  config: Config;
  /** Directories that documents must lie in; null for a person, who may name any path and any program. */
  allowedRoots: string[] | null;
  environment: NodeJS.ProcessEnv;
}

/**
 * Checks what a caller says and puts defaults under it: first the environment variables that scripts of other batch
 * runners set already, then the configuration. Creates `codex_home` when it is missing.
 *
 * @throws RlmError `usage` or `not_found` naming the option, a blank model first of all; `forbidden` for a program
 *   that the configuration does not name
 */
export function resolveWork(options: WorkOptions, caller: Caller): WorkParams {
  const { config, environment, root, cwd } = caller;
  // Exported but empty means not given.
  const variable = (name: string) => environment[name] || undefined;
  const model = options.model ?? environment.CODEX_SUBAGENT_MODEL;
  if (model !== undefined && model.trim() === '')
    throw new RlmError('usage', 'must be a non-empty string', { field: 'model' });
  if (options.command !== undefined && options.runner_script !== undefined) {
    throw new RlmError('usage', 'give either a runner script or a command, not both');
  }
  const worker = options.worker ?? config.worker;
  const command = options.command === undefined ? undefined : resolveCommand(options.command, caller);
  // A configured runner script is the default of who asks for no other worker.
  const configuredScript =
    command === undefined && (worker === 'auto' || worker === 'command') ? config.runner_script : undefined;
  const runnerScript = resolvePath(options.runner_script, cwd) ?? resolvePath(configuredScript, root);
  if (runnerScript !== undefined) requireKind(runnerScript, 'file', 'runner_script');
  const workerCwd =
    resolvePath(options.worker_cwd ?? variable('CODEX_SUBAGENT_CWD'), cwd) ??
    resolvePath(config.worker_cwd, root);
  if (workerCwd !== undefined) requireKind(workerCwd, 'directory', 'worker_cwd');
  const codexHome =
    resolvePath(options.codex_home ?? variable('CODEX_SUBAGENT_CODEX_HOME'), cwd) ??
    resolvePath(config.codex_home, root);
  if (codexHome !== undefined) {
    if (existsSync(codexHome)) requireKind(codexHome, 'directory', 'codex_home');
    ensureDirectory(codexHome);
  }
  const external = runnerScript !== undefined || command !== undefined;
  if (external && !['auto', 'command', undefined].includes(options.worker)) {
    throw new RlmError(
      'usage',
      `give either worker ${options.worker}, or a runner script or command, not both`,
    );
  }
  const { limits } = config;
  // What else the flow's own options hold is not of this schema, and is dropped.
  return WorkParams.parse({
    ...options,
    ...config.budget,
    ...limitsOf(options),
    worker: external ? 'command' : worker,
    lane: options.lane ?? config.lane,
    runner_script: runnerScript,
    command,
    model,
    profile: options.profile ?? variable('CODEX_SUBAGENT_PROFILE') ?? config.profile,
    codex_home: codexHome,
    worker_cwd: workerCwd,
    skip_git_repo_check: options.skip_git_repo_check ?? config.skip_git_repo_check,
    parallel: options.parallel ?? limits.parallel,
    timeout_sec: options.timeout_sec ?? limits.timeout_sec,
    idle_timeout_sec: options.idle_timeout_sec ?? limits.idle_timeout_sec,
    retries: options.retries ?? limits.retries,
    cache: options.cache ?? config.cache,
  });
}

function resolvePath(given: string | undefined, base: string): string | undefined {
  return given === undefined ? undefined : resolve(base, given);
}

/**
 * For work by one model: that a limit in dollars can be kept. Claude and the reader say themselves what a call cost,
 * and who `auto` will be is not known yet; a driver looks again.
 *
 * @throws RlmError `usage` when it cannot
 */
export function requirePrice({ worker, model, max_cost_usd }: WorkParams, { models, prices }: Config): void {
  if (max_cost_usd === undefined || (worker !== 'codex' && worker !== 'command')) return;
  if (prices[model ?? models.codex] === undefined) throw noPrice();
}

/**
 * The worker's program and arguments: of a name under `commands` in the configuration, or, from a person, as given.
 * One that is named by a path is the one that is there now, wherever its workers run.
 */
function resolveCommand(given: readonly string[], { config, root, cwd, allowedRoots }: Caller): string[] {
  const [name = '', ...more] = given;
  if (name.trim() === '') {
    throw new RlmError('usage', 'the command of the worker is empty', {
      hint: 'Give a program, then its arguments.',
    });
  }
  const configured =
    more.length === 0 && Object.hasOwn(config.commands, name) ? config.commands[name] : undefined;
  if (configured === undefined && allowedRoots !== null) {
    const names = Object.keys(config.commands);
    throw new RlmError('forbidden', `must be a name under "commands" in .rlm/config.json, not '${name}'`, {
      field: 'command',
      hint:
        names.length === 0
          ? 'No programs are configured; a person adds them to that file.'
          : `Those are: ${names.join(', ')}.`,
    });
  }
  const [program = '', ...args] = configured ?? given;
  const isPath = program.includes(sep) && !program.startsWith('{');
  return [isPath ? resolve(configured === undefined ? cwd : root, program) : program, ...args];
}

/** @throws RlmError `not_found` or `usage` naming the field */
export function requireKind(path: string, kind: 'file' | 'directory', field: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new RlmError('not_found', `does not exist: ${path}`, { field });
  if (kind === 'file' ? !stat.isFile() : !stat.isDirectory()) {
    throw new RlmError('usage', `is not a ${kind}: ${path}`, { field });
  }
}
