import { existsSync, statSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { z } from 'zod';
import type { Config } from '../config/index.ts';
import { Budget } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { ensureDirectory, resolveInside } from '../files/index.ts';
import { noPrice } from './budget.ts';

/**
 * Who works and within which limits: the part of an activity's parameters that every flow has. Kept in
 * `activity.json`, so that any process can take the work up again. Paths are absolute; null means default.
 */
export const WorkParams = z.object({
  worker: z.enum(['auto', 'codex', 'claude', 'command', 'extractive']),
  lane: z.enum(['auto', 'exec', 'app-server']),
  runner_script: z.string().nullable(),
  command: z.array(z.string()).nullable(),
  model: z.string().nullable(),
  effort: z.string().nullable(),
  profile: z.string().nullable(),
  codex_home: z.string().nullable(),
  worker_cwd: z.string().nullable(),
  skip_git_repo_check: z.boolean(),
  parallel: z.int().positive(),
  timeout_sec: z.int().positive(),
  idle_timeout_sec: z.int().positive(),
  retries: z.int().nonnegative(),
  budget: Budget,
  cache: z.boolean(),
});
export type WorkParams = z.infer<typeof WorkParams>;

/** What a caller may say about the work: any of `WorkParams`, with paths relative to where the caller stands. */
export type WorkRequest = { [Key in keyof WorkParams]?: NonNullable<WorkParams[Key]> | undefined };

/** Where the caller of a flow stands. */
export interface Caller {
  root: string;
  cwd: string;
  config: Config;
  /** Directories that documents must lie in; null for a person, who may name any path. */
  allowedRoots: string[] | null;
  environment: NodeJS.ProcessEnv;
}

/**
 * Checks what a caller says and puts defaults under it: the caller's word, then the environment variables of
 * the seed's runner (CONTRACTS.md A), then the configuration. Creates `codex_home` when it is missing.
 *
 * @throws RlmError `usage` or `not_found` naming the flag; a blank model first of all
 */
export function resolveWork(request: WorkRequest, caller: Caller): WorkParams {
  const { config, environment } = caller;
  // Exported but empty means not given.
  const variable = (name: string) => environment[name] || undefined;
  const model = request.model ?? environment.CODEX_SUBAGENT_MODEL;
  if (model !== undefined && model.trim() === '')
    throw new RlmError('usage', 'must be a non-empty string', { field: 'model' });
  if (request.command !== undefined && request.runner_script !== undefined) {
    throw new RlmError('usage', 'give either a runner script or a command, not both');
  }
  const path = (given: string | undefined, what: string): string | null => {
    if (given === undefined) return null;
    return caller.allowedRoots === null
      ? resolve(caller.cwd, given)
      : resolveInside(caller.root, given, what, caller.cwd);
  };
  const runnerScript = path(request.runner_script, 'runner_script');
  if (runnerScript !== null) requireKind(runnerScript, 'file', 'runner_script');
  const workerCwd = path(request.worker_cwd ?? variable('CODEX_SUBAGENT_CWD'), 'worker_cwd');
  if (workerCwd !== null) requireKind(workerCwd, 'directory', 'worker_cwd');
  const codexHome = path(request.codex_home ?? variable('CODEX_SUBAGENT_CODEX_HOME'), 'codex_home');
  if (codexHome !== null) {
    if (existsSync(codexHome)) requireKind(codexHome, 'directory', 'codex_home');
    ensureDirectory(codexHome);
  }
  const command = request.command === undefined ? null : commandFrom(request.command, caller.cwd);
  const external = runnerScript !== null || command !== null;
  if (external && !['auto', 'command', undefined].includes(request.worker)) {
    throw new RlmError(
      'usage',
      `give either worker ${request.worker}, or a runner script or command, not both`,
    );
  }
  return {
    worker: external ? 'command' : (request.worker ?? config.worker),
    lane: request.lane ?? config.lane,
    runner_script: runnerScript,
    command,
    model: model ?? null,
    effort: request.effort ?? null,
    profile: request.profile ?? variable('CODEX_SUBAGENT_PROFILE') ?? null,
    codex_home: codexHome,
    worker_cwd: workerCwd,
    skip_git_repo_check: request.skip_git_repo_check ?? true,
    parallel: request.parallel ?? config.limits.parallel,
    timeout_sec: request.timeout_sec ?? config.limits.timeout_sec,
    idle_timeout_sec: request.idle_timeout_sec ?? config.limits.idle_timeout_sec,
    retries: request.retries ?? config.limits.retries,
    budget: { ...config.budget, ...request.budget },
    cache: request.cache ?? true,
  };
}

/**
 * For work by one model: that a limit in dollars can be kept. Claude and the reader say themselves what a call cost,
 * and who `auto` will be is not known yet; a driver looks again.
 *
 * @throws RlmError `usage` when it cannot
 */
export function requirePrice({ worker, model, budget }: WorkParams, { models, prices }: Config): void {
  if (budget.max_cost_usd === undefined || (worker !== 'codex' && worker !== 'command')) return;
  if (prices[model ?? models.codex] === undefined) throw noPrice();
}

/** A program that is named by a path is the one the caller sees there, wherever its workers run. */
function commandFrom([program = '', ...args]: string[], cwd: string): string[] {
  if (program.trim() === '') {
    throw new RlmError('usage', 'the command of the worker is empty', {
      hint: 'Give a program, then its arguments.',
    });
  }
  const isPath = program.includes(sep) && !program.startsWith('{');
  return [isPath ? resolve(cwd, program) : program, ...args];
}

/** @throws RlmError `not_found` or `usage` naming the field */
export function requireKind(path: string, kind: 'file' | 'directory', field: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new RlmError('not_found', `does not exist: ${path}`, { field });
  if (kind === 'file' ? !stat.isFile() : !stat.isDirectory()) {
    throw new RlmError('usage', `is not a ${kind}: ${path}`, { field });
  }
}
