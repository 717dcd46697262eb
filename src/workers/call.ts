import { rmSync, statSync } from 'node:fs';
import { NO_USAGE } from '../contracts/index.ts';
import { messageOf } from '../errors.ts';
import { writeFileAtomic } from '../files/index.ts';
import type { OwnedProcesses } from './owned-processes.ts';
import { stderrPathOf } from './printed.ts';
import type { ProcessEnd } from './process.ts';
import type { WorkRequest, WorkResult } from './worker.ts';

/**
 * Makes a result of one call, whatever happens in it: what is thrown fails that call as `crashed`.
 *
 * @param program how a failure's message names it
 * @param call what it leaves out is filled in: no tokens, no cost, the model that was asked for, the time it took
 */
export async function resultOfCall(
  program: string,
  request: WorkRequest,
  call: () => Promise<Partial<WorkResult>>,
): Promise<WorkResult> {
  const started = performance.now();
  const result = (part: Partial<WorkResult>): WorkResult => ({
    usage: NO_USAGE,
    costUsd: null,
    durationMs: performance.now() - started,
    model: request.model,
    ...part,
  });
  try {
    return result(await call());
  } catch (error) {
    return result({ failure: { class: 'crashed', message: `${program}: ${messageOf(error)}` } });
  }
}

/** A program that answers one request. */
export interface CallProgram {
  file: string;
  args: string[];
  env: Record<string, string>;
  /** `input`: for a program that takes the instructions another way; `prompt`: instructions and input. */
  stdin: 'input' | 'prompt' | 'none';
}

/** How the program of a call ended, and where its words are. */
export interface ProgramEnd {
  end: ProcessEnd;
  /** Gone when nothing was printed to it. */
  stderrPath: string;
  /** Byte offset at which this call's words start in the request's log. */
  logStart: number;
}

/** Runs the program of a call within the limits of its request; what it prints goes to the request's log. */
export async function runCall(
  processes: OwnedProcesses,
  request: WorkRequest,
  { file, args, env, stdin }: CallProgram,
): Promise<ProgramEnd> {
  const inputPath = `${request.promptPath}.stdin`;
  const stdinPath = { input: inputPath, prompt: request.promptPath, none: undefined }[stdin];
  const stderrPath = stderrPathOf(request.logPath);
  const logStart = statSync(request.logPath, { throwIfNoEntry: false })?.size ?? 0;
  try {
    if (stdin === 'input') writeFileAtomic(inputPath, request.input);
    const end = await processes.run({
      file,
      args,
      cwd: request.cwd,
      env,
      ...(stdinPath === undefined ? {} : { stdinPath }),
      stdoutPath: request.logPath,
      stderrPath,
      timeoutMs: request.timeoutMs,
      idleTimeoutMs: request.idleTimeoutMs,
      signal: request.signal,
      onProcess: (process) => request.onProcess?.(process),
    });
    return { end, stderrPath, logStart };
  } finally {
    if (stdin === 'input') rmSync(inputPath, { force: true });
  }
}
