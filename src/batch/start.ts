import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config/index.ts';
import type { Budget } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { ensureDirectory } from '../files/index.ts';
import { createRun, RUN_FILES, type RunHandle, requireNoDriver } from '../runs/index.ts';
import { checkJobs, keepJobs } from './jobs.ts';
import type { BatchParams } from './params.ts';

/** What the caller of a batch says; everything but the jobs has a default. */
export interface BatchRequest {
  jobs: string;
  runId?: string | undefined;
  /** Another place for the run than `.rlm/runs/`. */
  runDir?: string | undefined;
  worker?: BatchParams['worker'] | undefined;
  lane?: BatchParams['lane'] | undefined;
  runnerScript?: string | undefined;
  command?: string[] | undefined;
  model?: string | undefined;
  effort?: string | undefined;
  profile?: string | undefined;
  codexHome?: string | undefined;
  workerCwd?: string | undefined;
  skipGitRepoCheck?: boolean | undefined;
  parallel?: number | undefined;
  timeoutSec?: number | undefined;
  idleTimeoutSec?: number | undefined;
  retries?: number | undefined;
  budget?: Budget | undefined;
  cache?: boolean | undefined;
}

/** Where the caller stands. */
export interface Caller {
  root: string;
  cwd: string;
  config: Config;
  /** Null for a person, who may name any path. */
  allowedRoots: string[] | null;
  environment: NodeJS.ProcessEnv;
}

/**
 * Checks everything about a batch and makes its run; nothing is left behind when something is wrong.
 * The order of the checks is part of the contract: a blank model is told before the jobs file is opened.
 *
 * @returns the run, and the parameters its activity is to be started with
 * @throws RlmError `usage`, `not_found` or `forbidden`
 */
export async function prepareBatch(
  request: BatchRequest,
  caller: Caller,
): Promise<{ run: RunHandle; params: BatchParams }> {
  const { config, environment, cwd } = caller;
  const settings = defaultsFrom(environment, request);
  if (settings.model !== undefined && settings.model.trim() === '') {
    throw new RlmError('usage', '--model must be a non-empty string');
  }
  if (request.command !== undefined && request.runnerScript !== undefined) {
    throw new RlmError('usage', 'give either a runner script or a command, not both');
  }
  if (request.command?.length === 0) throw new RlmError('usage', 'command must name a program');
  const path = (given: string | undefined) => (given === undefined ? undefined : resolve(cwd, given));
  const runnerScript = path(request.runnerScript);
  if (runnerScript !== undefined) requireKind(runnerScript, 'file', '--runner-script');
  const workerCwd = path(settings.workerCwd);
  if (workerCwd !== undefined) requireKind(workerCwd, 'directory', '--worker-cwd');
  const jobs = resolve(cwd, request.jobs);
  requireKind(jobs, 'file', '--jobs');

  const runDir = path(request.runDir);
  if (runDir !== undefined) requireNoDriver(runDir);
  const paths = { baseDir: cwd, allowedRoots: caller.allowedRoots };
  // The run directory must be known before output paths can be checked against it; a place that does not
  // exist yet will do, and nothing is created until the jobs are known to be good.
  const total = await checkJobs(jobs, {
    ...paths,
    runDir: runDir ?? resolve(caller.root, '.rlm', 'runs', request.runId ?? 'new'),
  });
  const codexHome = path(settings.codexHome);
  if (codexHome !== undefined) ensureDirectory(codexHome);

  const run = createRun(caller.root, {
    kind: 'batch',
    title: `${total} jobs of ${jobs}`,
    ...(request.runId === undefined ? {} : { runId: request.runId }),
    ...(runDir === undefined ? {} : { dir: runDir }),
  });
  await keepJobs(jobs, run.dir);
  const external = request.runnerScript !== undefined || request.command !== undefined;
  return {
    run,
    params: {
      base_dir: cwd,
      allowed_roots: caller.allowedRoots,
      jobs_total: total,
      worker: external ? 'command' : (request.worker ?? config.worker),
      lane: request.lane ?? config.lane,
      runner_script: runnerScript ?? null,
      command: request.command ?? null,
      model: settings.model ?? null,
      effort: request.effort ?? null,
      profile: settings.profile ?? null,
      codex_home: codexHome ?? null,
      worker_cwd: workerCwd ?? null,
      skip_git_repo_check: request.skipGitRepoCheck ?? true,
      parallel: request.parallel ?? config.limits.parallel,
      timeout_sec: request.timeoutSec ?? config.limits.timeout_sec,
      idle_timeout_sec: request.idleTimeoutSec ?? config.limits.idle_timeout_sec,
      retries: request.retries ?? config.limits.retries,
      budget: { ...config.budget, ...request.budget },
      cache: request.cache ?? true,
    },
  };
}

/** The environment variables of the seed's runner stand between the flags and the configuration. */
function defaultsFrom(environment: NodeJS.ProcessEnv, request: BatchRequest) {
  return {
    model: request.model ?? environment.CODEX_SUBAGENT_MODEL,
    profile: request.profile ?? environment.CODEX_SUBAGENT_PROFILE,
    codexHome: request.codexHome ?? environment.CODEX_SUBAGENT_CODEX_HOME,
    workerCwd: request.workerCwd ?? environment.CODEX_SUBAGENT_CWD,
  };
}

function requireKind(path: string, kind: 'file' | 'directory', flag: string): void {
  const stat = existsSync(path) ? statSync(path) : undefined;
  if (stat === undefined) throw new RlmError('not_found', `${flag}: ${path} does not exist`);
  if (kind === 'file' ? !stat.isFile() : !stat.isDirectory())
    throw new RlmError('usage', `${flag}: ${path} is not a ${kind}`);
}

/** Where a batch's result lies, for whoever reads it. */
export function summaryPath(run: RunHandle): string {
  return join(run.dir, RUN_FILES.summary);
}
