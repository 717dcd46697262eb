import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Failure } from '../../contracts/index.ts';
import { RlmError } from '../../errors.ts';
import { runCall } from '../call.ts';
import { failureOfMessage } from '../codex/failures.ts';
import type { CodexLog } from '../codex/log.ts';
import { environmentByMarks } from '../environment.ts';
import type { OwnedProcesses } from '../owned-processes.ts';
import type { ProcessEnd } from '../process.ts';
import { failureOfEnd } from '../process-failure.ts';
import type { WorkRequest, WorkResult } from '../worker.ts';
import { readRunnerOutput } from './runner-log.ts';

/** Exit code of a runner whose own time limit passed (CONTRACTS.md A), the one of coreutils' `timeout`. */
const TIMEOUT_EXIT = 124;
/** A runner that calls Codex needs these for its login. */
const RUNNER_VARIABLES = ['CODEX_HOME', 'CODEX_API_KEY', 'OPENAI_API_KEY'];

/** A script that speaks the runner protocol of CONTRACTS.md A. */
export interface RunnerScriptOptions {
  runnerScript: string;
  profile?: string | undefined;
  /** Becomes its `CODEX_HOME`. */
  codexHome?: string | undefined;
  /** Passed on as `--cd`. */
  workerCwd?: string | undefined;
  skipGitRepoCheck?: boolean | undefined;
  /** Names of further environment variables it may see. */
  environment?: readonly string[] | undefined;
}

/** @throws RlmError `usage` when the script is not an existing file */
export function runnerScriptCall(
  options: RunnerScriptOptions,
  processes: OwnedProcesses,
): (request: WorkRequest) => Promise<Partial<WorkResult>> {
  const script = resolve(options.runnerScript);
  if (!statSync(script, { throwIfNoEntry: false })?.isFile()) {
    throw new RlmError('usage', `--runner-script ${options.runnerScript} is not an existing file`);
  }
  const names = [...RUNNER_VARIABLES, ...(options.environment ?? [])];
  const home: Record<string, string> =
    options.codexHome === undefined ? {} : { CODEX_HOME: resolve(options.codexHome) };
  const environment = environmentByMarks(names, home);
  return async (request) => {
    const { end, stderrPath } = await runCall(processes, request, {
      file: script,
      args: protocolArguments(options, request),
      env: environment(request.marks),
      stdin: 'none',
    });
    const { log, path } = await readRunnerOutput(request.logPath, request.cwd);
    const failure = failureOfRunner(basename(script), end, log, request, stderrPath);
    return {
      ...(failure === undefined ? {} : { failure }),
      ...(failure === undefined && log.answer !== undefined ? { answer: log.answer } : {}),
      // Tokens of a failed call were spent all the same.
      usage: log.usage,
      model: null,
      exitCode: end.exitCode,
      ...(path === undefined ? {} : { extraLogPath: path }),
    };
  };
}

function protocolArguments(options: RunnerScriptOptions, request: WorkRequest): string[] {
  return [
    '--timeout-sec',
    String(Math.ceil(request.timeoutMs / 1000)),
    ...(request.model === null ? [] : ['--model', request.model]),
    ...(options.profile === undefined ? [] : ['--profile', options.profile]),
    ...(options.workerCwd === undefined ? [] : ['--cd', resolve(options.workerCwd)]),
    ...(options.skipGitRepoCheck === true ? ['--skip-git-repo-check'] : []),
    '--prompt-file',
    request.promptPath,
  ];
}

function failureOfRunner(
  name: string,
  end: ProcessEnd,
  log: CodexLog,
  request: WorkRequest,
  stderrPath: string,
): Failure | undefined {
  if (end.exitCode === TIMEOUT_EXIT && end.ended === undefined) {
    return { class: 'timeout', message: `${name} exited with code ${TIMEOUT_EXIT}: its time limit passed` };
  }
  const failure = failureOfEnd(name, end, request, stderrPath);
  if (failure !== undefined && failure.class !== 'crashed') return failure;
  if (failure === undefined && log.answer !== undefined) return undefined;
  const what = failure?.message ?? `${name} exited with code 0, but its log holds no agent_message`;
  if (log.error === undefined) return { class: 'crashed', message: what };
  // What a runner wraps is Codex, whose words tell a quota from a crash.
  const told = failureOfMessage(log.error);
  return { ...told, message: `${what}: ${told.message}` };
}
