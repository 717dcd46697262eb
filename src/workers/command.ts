import { chmodSync, copyFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, resolve } from 'node:path';
import type { Failure } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { FILE_MODE, isInside } from '../files/index.ts';
import { environmentByMarks, OwnedProcesses, type ProcessEnd } from '../processes/index.ts';
import { failureOfEnd, MAX_ANSWER_BYTES, readPrinted, resultOfCall, runCall } from './call.ts';
import { type CodexLog, failureOfMessage, readCodexLog } from './codex/output.ts';
import type { Worker, WorkRequest, WorkResult } from './worker.ts';

/** A program of the user's own: one that speaks the runner protocol, or any at all. */
type CommandOptions = RunnerScriptOptions | ArgvOptions;

/**
 * Makes the command worker. Nothing of it is ever cached: who knows what else the program reads.
 *
 * @throws RlmError `usage` when the runner script is not a file, or the command is empty
 */
export function createCommandWorker(options: CommandOptions): Worker {
  const processes = new OwnedProcesses();
  const call = 'argv' in options ? argvCall(options, processes) : runnerScriptCall(options, processes);
  return {
    name: 'command',
    lane: 'argv' in options ? 'argv' : 'runner-script',
    version: '1',
    cacheIdentity: null,
    run: (request) => resultOfCall('the command', request, () => call(request)),
    close: () => processes.close(),
  };
}

/** Any program: the prompt comes on its stdin, what it prints on stdout is the answer. */
interface ArgvOptions {
  /** `{prompt_file}`, `{chunk_id}`, `{model}` and `{schema_file}` are filled in, in every element. */
  argv: readonly string[];
  /** Names of further environment variables it may see. */
  environment?: readonly string[] | undefined;
}

/** @throws RlmError `usage` when the command is empty */
function argvCall(
  options: ArgvOptions,
  processes: OwnedProcesses,
): (request: WorkRequest) => Promise<Partial<WorkResult>> {
  const [program = '', ...rest] = options.argv;
  if (program.trim() === '') {
    throw new RlmError('usage', 'the command of the worker is empty', {
      hint: 'Give a program, then its arguments.',
    });
  }
  const environment = environmentByMarks(options.environment ?? []);
  return async (request) => {
    const values = {
      prompt_file: request.promptPath,
      chunk_id: request.placeholders?.chunkId ?? request.id,
      model: request.model ?? '',
      schema_file: request.placeholders?.schemaPath ?? request.schema?.path ?? '',
    };
    const file = fillPlaceholders(program, values);
    const { end, stderrPath } = await runCall(processes, request, {
      file,
      args: rest.map((element) => fillPlaceholders(element, values)),
      env: environment(request.marks),
      stdin: 'prompt',
    });
    const result = { model: null, exitCode: end.exitCode };
    const name = basename(file);
    const failure = failureOfEnd(name, end, request, stderrPath);
    if (failure !== undefined) return { ...result, failure };
    const answer = readPrinted(request.logPath);
    if (answer !== undefined) return { ...result, answer };
    const message = `${name} printed more than the ${MAX_ANSWER_BYTES} bytes an answer may have; see ${request.logPath}`;
    return { ...result, failure: { class: 'invalid_output', message } };
  };
}

/** What an argument of a command worker may stand for. */
interface PlaceholderValues {
  prompt_file: string;
  chunk_id: string;
  model: string;
  schema_file: string;
}

/** Fills `{prompt_file}` and the like in one argument. What was filled in is never scanned again. */
function fillPlaceholders(argument: string, values: PlaceholderValues): string {
  return argument.replace(
    /\{(prompt_file|chunk_id|model|schema_file)\}/g,
    (_, name: keyof PlaceholderValues) => values[name],
  );
}

/** Exit code of a runner whose own time limit passed, the one of coreutils' `timeout`. */
const TIMEOUT_EXIT = 124;
/** A runner that calls Codex needs these for its login. */
const RUNNER_VARIABLES = ['CODEX_HOME', 'CODEX_API_KEY', 'OPENAI_API_KEY'];

/** A script that speaks the runner protocol: see `protocolArguments`, `readRunnerOutput` and docs/ARCHITECTURE.md. */
interface RunnerScriptOptions {
  runner_script: string;
  profile?: string | undefined;
  /** Becomes its `CODEX_HOME`. */
  codex_home?: string | undefined;
  /** Passed on as `--cd`. */
  worker_cwd?: string | undefined;
  skip_git_repo_check?: boolean | undefined;
  /** Names of further environment variables it may see. */
  environment?: readonly string[] | undefined;
}

/** @throws RlmError `usage` when the script is not an existing file */
function runnerScriptCall(
  options: RunnerScriptOptions,
  processes: OwnedProcesses,
): (request: WorkRequest) => Promise<Partial<WorkResult>> {
  const script = resolve(options.runner_script);
  if (!statSync(script, { throwIfNoEntry: false })?.isFile()) {
    throw new RlmError('usage', `--runner-script ${options.runner_script} is not an existing file`);
  }
  const names = [...RUNNER_VARIABLES, ...(options.environment ?? [])];
  const home: Record<string, string> =
    options.codex_home === undefined ? {} : { CODEX_HOME: resolve(options.codex_home) };
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
      ...(path === undefined ? {} : { extraLogPath: keepLog(path, request) }),
    };
  };
}

/** The most of a runner's own log that is kept with the run, bytes. */
const MAX_LOG_BYTES = 64 * 1024 * 1024;

/**
 * Copies the log that a runner wrote elsewhere, mostly in a temporary directory, beside the log of its call.
 *
 * @returns where it is kept; its own path when it is too big for that
 */
function keepLog(path: string, { logPath }: WorkRequest): string {
  const own =
    path === logPath || statSync(path).size > MAX_LOG_BYTES || isInside(dirname(dirname(logPath)), path);
  if (own) return path;
  const kept = `${logPath.replace(/\.jsonl$/, '')}.runner.jsonl`;
  copyFileSync(path, kept);
  chmodSync(kept, FILE_MODE);
  return kept;
}

function protocolArguments(options: RunnerScriptOptions, request: WorkRequest): string[] {
  return [
    '--timeout-sec',
    String(Math.ceil(request.timeoutMs / 1000)),
    ...(request.model === null ? [] : ['--model', request.model]),
    ...(options.profile === undefined ? [] : ['--profile', options.profile]),
    ...(options.worker_cwd === undefined ? [] : ['--cd', resolve(options.worker_cwd)]),
    ...(options.skip_git_repo_check === true ? ['--skip-git-repo-check'] : []),
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
  const known = failureOfMessage(log.error);
  return { ...known, message: `${what}: ${known.message}` };
}

/** Paths a runner printed that are kept until its end: the last that exists is the log. */
const MAX_PATHS = 64;

/**
 * Reads what a runner script printed: the JSONL log at the last printed path that ends in `.jsonl` and exists,
 * else its output as the log.
 *
 * @param cwd where the runner ran: relative paths start there
 */
async function readRunnerOutput(
  stdoutPath: string,
  cwd: string,
): Promise<{ log: CodexLog; path: string | undefined }> {
  const printed: string[] = [];
  const own = await readCodexLog(stdoutPath, {
    onLine(line) {
      const text = line.trimEnd();
      if (!text.endsWith('.jsonl')) return;
      printed.push(text.trimStart());
      if (printed.length > MAX_PATHS) printed.shift();
    },
  });
  for (const name of printed.reverse()) {
    if (name.includes('\0')) continue;
    const path = isAbsolute(name) ? name : resolve(cwd, name);
    // A pipe or a device would never end.
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) continue;
    return { log: await readCodexLog(path), path };
  }
  return { log: own, path: undefined };
}
