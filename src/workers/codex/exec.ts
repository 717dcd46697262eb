import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nanoid } from 'nanoid';
import type { Failure } from '../../contracts/index.ts';
import { DIRECTORY_MODE } from '../../files/index.ts';
import { OwnedProcesses, type ProcessEnd } from '../../processes/index.ts';
import { failureOfEnd, readTail, resultOfCall, runCall } from '../call.ts';
import type { PackageSkill } from '../skills.ts';
import { type WorkRequest, type WorkResult, writablePaths } from '../worker.ts';
import { leanArguments, sandboxArguments, setting } from './arguments.ts';
import { instructionsFile } from './home.ts';
import { type CodexLog, failureOfMessage, readCodexLog } from './output.ts';
import { type CodexSetup, codexEnvironment, isolationArguments } from './setup.ts';

/** Answers every request with a `codex exec` of its own. */
export class ExecLane {
  readonly #setup: CodexSetup;
  readonly #processes = new OwnedProcesses();

  constructor(setup: CodexSetup) {
    this.#setup = setup;
  }

  /** Never rejects: what cannot be prepared is a failure too. */
  run(request: WorkRequest): Promise<WorkResult> {
    return resultOfCall('codex exec', request, async () => {
      // A shell that may write needs a place for its here-documents, and gets one of its own. One that may not
      // gets it too: below TMPDIR Codex makes no helper for its sandbox, and a root may lie in /tmp.
      const temporary = request.tools ? join(tmpdir(), `rlm-worker-${nanoid()}`) : undefined;
      try {
        if (temporary !== undefined) mkdirSync(temporary, { mode: DIRECTORY_MODE });
        const own = temporary === undefined ? {} : { TMPDIR: temporary };
        const { end, stderrPath, logStart } = await runCall(this.#processes, request, {
          file: this.#setup.binary.file,
          args: [
            ...this.#arguments(request, temporary),
            ...(await isolationArguments(this.#setup, request.cwd)),
          ],
          env: codexEnvironment(this.#setup, { ...request.marks, ...own }),
          // Instructions go by file, as the cacheable prefix; stdin must not repeat them.
          stdin: 'input',
        });
        const log = await readCodexLog(request.logPath, { start: logStart });
        return { ...judge(end, log, request, stderrPath), usage: log.usage, exitCode: end.exitCode };
      } finally {
        if (temporary !== undefined) rmSync(temporary, { recursive: true, force: true });
      }
    });
  }

  close(): Promise<void> {
    return this.#processes.close();
  }

  #arguments(request: WorkRequest, temporary: string | undefined): string[] {
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
      // Without instructions of ours Codex keeps its own: an agent with tools is better off with them.
      ...(request.instructions === ''
        ? []
        : setting('model_instructions_file', instructionsFile(root, request.instructions))),
      ...leanArguments(capabilities, request.tools),
      ...home.arguments,
      // After them: the last setting of a key counts.
      ...(request.tools && writablePaths(request.sandbox).length > 0
        ? skillInstructions(home.missingSkills)
        : []),
      ...(request.tools
        ? [...sandboxArguments(this.#setup, request.sandbox, temporary), ...hideLogin(home.loginVariables)]
        : ['--sandbox', 'read-only']),
    ];
  }
}

/** Skills that the worker's home does not have, as instructions. */
function skillInstructions(skills: readonly PackageSkill[]): string[] {
  if (skills.length === 0) return [];
  const text = skills
    .map((skill) => `<skill>\n<name>${skill.name}</name>\n${skill.text}\n</skill>`)
    .join('\n');
  return setting('developer_instructions', text);
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
  const said = failureOfMessage(readTail(stderrPath));
  if (said.class !== 'crashed') return { failure: said };
  return {
    failure: ended ?? { class: 'crashed', message: 'codex exec ended without completing its turn' },
  };
}
