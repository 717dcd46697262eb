import { rmSync, statSync } from 'node:fs';
import { type Failure, NO_USAGE } from '../../contracts/index.ts';
import { messageOf } from '../../errors.ts';
import { writeFileAtomic } from '../../files/index.ts';
import { OwnedProcesses } from '../owned-processes.ts';
import { lastWords, removeIfEmpty, stderrPathOf } from '../printed.ts';
import type { ProcessEnd } from '../process.ts';
import { failureOfEnd } from '../process-failure.ts';
import type { Sandbox, WorkRequest, WorkResult } from '../worker.ts';
import { failureOfMessage } from './failures.ts';
import { instructionsFile } from './home.ts';
import { leanArguments, setting } from './lean.ts';
import { type CodexLog, readCodexLog } from './log.ts';
import { type CodexSetup, codexEnvironment } from './setup.ts';

/** Answers every request with a `codex exec` of its own. */
export class ExecLane {
  readonly #setup: CodexSetup;
  readonly #processes = new OwnedProcesses();

  constructor(setup: CodexSetup) {
    this.#setup = setup;
  }

  /** Never rejects: what cannot be prepared is a failure too. */
  async run(request: WorkRequest): Promise<WorkResult> {
    const started = performance.now();
    const stdinPath = `${request.promptPath}.stdin`;
    const result = (part: Partial<WorkResult>): WorkResult => ({
      usage: NO_USAGE,
      costUsd: null,
      durationMs: performance.now() - started,
      model: request.model,
      ...part,
    });
    try {
      // Instructions go by file, as the cacheable prefix; stdin must not repeat them.
      writeFileAtomic(stdinPath, request.input);
      const stderrPath = stderrPathOf(request.logPath);
      const logStart = statSync(request.logPath, { throwIfNoEntry: false })?.size ?? 0;
      const end = await this.#processes.run({
        file: this.#setup.binary.file,
        args: this.#arguments(request),
        cwd: request.cwd,
        env: codexEnvironment(this.#setup, request.marks),
        stdinPath,
        stdoutPath: request.logPath,
        stderrPath,
        timeoutMs: request.timeoutMs,
        idleTimeoutMs: request.idleTimeoutMs,
        signal: request.signal,
        onProcess: (process) => request.onProcess?.(process),
      });
      const log = await readCodexLog(request.logPath, logStart);
      const outcome = judge(end, log, request, stderrPath);
      removeIfEmpty(stderrPath);
      return result({ usage: log.usage, ...outcome });
    } catch (error) {
      return result({ failure: { class: 'crashed', message: `codex exec: ${messageOf(error)}` } });
    } finally {
      rmSync(stdinPath, { force: true });
    }
  }

  close(): Promise<void> {
    return this.#processes.close();
  }

  #arguments(request: WorkRequest): string[] {
    const { capabilities, home, profile, root } = this.#setup;
    const optional = ['--ephemeral', '--ignore-rules'].filter((flag) =>
      capabilities.execFlags.includes(flag),
    );
    return [
      'exec',
      '-',
      '--json',
      '--skip-git-repo-check',
      ...optional,
      '-C',
      request.cwd,
      ...(request.schema === undefined ? [] : ['--output-schema', request.schema.path]),
      ...(request.model === null ? [] : ['--model', request.model]),
      ...(profile === undefined ? [] : ['--profile', profile]),
      ...(request.effort === null ? [] : setting('model_reasoning_effort', request.effort)),
      ...setting('model_instructions_file', instructionsFile(root, request.instructions)),
      ...leanArguments(capabilities, request.tools),
      ...home.retryArguments,
      ...sandboxArguments(request.sandbox),
      ...(request.tools ? hideLogin(home.loginVariables) : []),
    ];
  }
}

function sandboxArguments(sandbox: Sandbox): string[] {
  if (sandbox.mode === 'read-only') return ['--sandbox', 'read-only'];
  // Codex also lets such a worker write in its working directory; the caller chooses that accordingly.
  return [
    '--sandbox',
    'workspace-write',
    ...setting('sandbox_workspace_write.writable_roots', sandbox.writable),
    ...setting('sandbox_workspace_write.network_access', false),
    ...setting('sandbox_workspace_write.exclude_slash_tmp', true),
    ...setting('sandbox_workspace_write.exclude_tmpdir_env_var', true),
  ];
}

/** A worker's shell can read its environment, and what it reads goes to the model: the login stays out of it. */
function hideLogin(names: readonly string[]): string[] {
  return setting('shell_environment_policy.exclude', names);
}

/** Success is a clean exit, a completed turn and a message; whether the message will do is for the flow. */
function judge(
  end: ProcessEnd,
  log: CodexLog,
  request: WorkRequest,
  stderrPath: string,
): { answer: string } | { failure: Failure } {
  const ended = failureOfEnd('codex exec', end, request, stderrPath);
  const ofItself = end.ended === undefined && end.startError === undefined && end.killedBy === undefined;
  if (ended !== undefined && !ofItself) return { failure: ended };
  if (ended === undefined && log.completed) {
    if (log.answer !== undefined) return { answer: log.answer };
    return { failure: { class: 'invalid_output', message: 'codex completed its turn without a message' } };
  }
  if (log.error !== undefined) return { failure: failureOfMessage(log.error) };
  const said = failureOfMessage(lastWords(stderrPath));
  if (said.class !== 'crashed') return { failure: said };
  return {
    failure: ended ?? { class: 'crashed', message: 'codex exec ended without completing its turn' },
  };
}
