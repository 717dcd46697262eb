import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Failure } from '../../contracts/index.ts';
import { workersDirectory } from '../../contracts/index.ts';
import { DIRECTORY_MODE, writeFileAtomic } from '../../files/index.ts';
import { OwnedProcesses, type ProcessEnd, workerEnvironment } from '../../processes/index.ts';
import { oneLine, sha256 } from '../../text/index.ts';
import { failureOfEnd, resultOfCall, runCall } from '../call.ts';
import { probesDirectory } from '../probe.ts';
import { installSkills, workerSkills } from '../skills.ts';
import type { Worker, WorkRequest, WorkResult } from '../worker.ts';
import {
  canConfineShell,
  claudeArguments,
  MAX_ARGUMENT_BYTES,
  shellArguments,
  shellDirectory,
} from './arguments.ts';
import { findClaude, findLogin, loginVariables, probeClaude } from './installation.ts';
import { type ClaudeLog, failureOfResult, readClaudeLog } from './output.ts';

interface ClaudeWorkerOptions {
  /** The root that `.rlm/` lies in. */
  root: string;
  /** The program; `RLM_CLAUDE`, else `claude` on PATH, when not given. */
  binary?: string | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  /** Names of further environment variables that workers may see. */
  extraEnvNames?: readonly string[] | undefined;
}

/** Only `dispatch/` retries. (Of a conversation with tools a transient error would lose all, so a few are left.) */
const RETRIES = { prompt: '0', tools: '3' };

/**
 * The Claude worker: one `claude -p` a call, with nothing of the user's own settings.
 *
 * A login from the environment gets a configuration directory of ours. A login of an account stays where it is:
 * Claude renews it there, and a copy that is renewed elsewhere would log the user out.
 *
 * @throws RlmError `unavailable` when there is no Claude Code, or one that is too old
 */
export async function createClaudeWorker(options: ClaudeWorkerOptions): Promise<Worker> {
  const source = options.env ?? process.env;
  const root = resolve(options.root);
  const binary = findClaude(options.binary, source);
  const capabilities = await probeClaude(binary, probesDirectory(root), source);
  const login = findLogin(source);
  const ownHome = login === 'key' || login === 'token';
  const home = join(workersDirectory(root), 'claude-home');
  if (ownHome) mkdirSync(home, { recursive: true, mode: DIRECTORY_MODE });
  const plugin = preparePlugin(root);
  const names = [...loginVariables(source), ...(options.extraEnvNames ?? [])];
  const processes = new OwnedProcesses();
  let confinable: Promise<boolean> | undefined;

  function environment(request: WorkRequest): Record<string, string> {
    return workerEnvironment(
      {
        names: ownHome ? names : [...names, 'CLAUDE_CONFIG_DIR'],
        values: {
          CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
          DISABLE_AUTOUPDATER: '1',
          CLAUDE_CODE_MAX_RETRIES: request.tools ? RETRIES.tools : RETRIES.prompt,
          // These two are retries as well, under other names: of a cut stream, and of an answer off the schema.
          CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK: '1',
          ...(request.tools ? {} : { MAX_STRUCTURED_OUTPUT_RETRIES: '0' }),
          ...(ownHome ? { CLAUDE_CONFIG_DIR: home } : {}),
          ...request.marks,
        },
      },
      source,
    );
  }

  /** Who owns paths gets a shell, where it can be confined to them. */
  async function shellOf(request: WorkRequest): Promise<{ cwd: string; args: string[] } | undefined> {
    const cwd = request.tools ? shellDirectory(request.sandbox) : undefined;
    if (cwd === undefined) return undefined;
    confinable ??= canConfineShell(capabilities, source);
    if (!(await confinable)) return undefined;
    return { cwd, args: shellArguments(request.sandbox, request.cwd, loginVariables(source)) };
  }

  async function call(request: WorkRequest): Promise<Partial<WorkResult>> {
    const shell = await shellOf(request);
    const args = claudeArguments(request, capabilities, login, plugin, shell?.args);
    const tooLong = args.findIndex((argument) => Buffer.byteLength(argument) > MAX_ARGUMENT_BYTES);
    if (tooLong !== -1) return { failure: argumentTooLong(args[tooLong - 1] ?? 'an argument') };
    const placed = shell === undefined ? request : { ...request, cwd: shell.cwd };
    const { end, stderrPath, logStart } = await runCall(processes, placed, {
      file: binary,
      args,
      env: environment(request),
      // Instructions go as the system prompt; stdin must not repeat them.
      stdin: 'input',
    });
    const log = await readClaudeLog(request.logPath, logStart);
    return {
      ...judge(end, log, request, stderrPath),
      exitCode: end.exitCode,
      usage: log.usage,
      costUsd: log.result?.total_cost_usd ?? null,
      model: Object.keys(log.result?.modelUsage ?? {})[0] ?? request.model,
    };
  }

  return {
    name: 'claude',
    lane: null,
    version: capabilities.version,
    // Another endpoint is another model behind the same name.
    cacheIdentity: `claude ${source.ANTHROPIC_BASE_URL ?? ''}`.trim(),
    run: (request) => resultOfCall('claude', request, () => call(request)),
    close: () => processes.close(),
  };
}

/**
 * A plugin of ours with the skills of workers: it works with any login, and nothing is written to a configuration
 * directory that is the user's own.
 */
function preparePlugin(root: string): string {
  const skills = workerSkills();
  const name = sha256(JSON.stringify(skills)).slice(0, 12);
  const path = join(workersDirectory(root), 'claude-plugin', name);
  const manifest = join(path, '.claude-plugin', 'plugin.json');
  if (!existsSync(manifest)) {
    mkdirSync(dirname(manifest), { recursive: true, mode: DIRECTORY_MODE });
    writeFileAtomic(
      manifest,
      JSON.stringify({ name: 'rlm', version: '1.0.0', description: 'Skills of rlm workers' }),
    );
  }
  installSkills(join(path, 'skills'), skills);
  return path;
}

/**
 * What we did to it counts first, then what it said itself, then how it ended. An answer that Claude Code itself found
 * to be off the schema is an answer all the same: it may be right but for a code fence around it, and if not, the flow
 * says what is wrong with it.
 */
function judge(
  end: ProcessEnd,
  { result, limit, said }: ClaudeLog,
  request: WorkRequest,
  stderrPath: string,
): Pick<WorkResult, 'answer' | 'failure'> {
  const failure = failureOfEnd('claude', end, request, stderrPath);
  if (failure !== undefined && failure.class !== 'crashed') return { failure };
  if (result?.is_error) {
    const known = failureOfResult(result, limit);
    return known.class === 'invalid_output' && said !== '' ? { answer: said } : { failure: known };
  }
  if (failure !== undefined) return { failure };
  // An interrupt is exit 0, and some versions give a result that says so.
  if (result === undefined || result.terminal_reason?.startsWith('aborted')) {
    return { failure: { class: 'crashed', message: 'claude exited with code 0 before it gave an answer' } };
  }
  if (result.stop_reason === 'refusal') {
    const message = `claude: the model refused to answer: ${oneLine(said, 100)}`;
    return { failure: { class: 'invalid_output', message } };
  }
  const { structured_output } = result;
  if (structured_output !== undefined && structured_output !== null) {
    return { answer: JSON.stringify(structured_output) };
  }
  const answer = result.result ?? said;
  return answer === ''
    ? { failure: { class: 'invalid_output', message: 'claude gave a result without an answer' } }
    : { answer };
}

function argumentTooLong(flag: string): Failure {
  return {
    class: 'config',
    message: `claude takes ${flag} as one argument of at most ${MAX_ARGUMENT_BYTES} bytes; this one is longer. Make it smaller, or use another worker.`,
  };
}
