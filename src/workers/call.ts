import { closeSync, fstatSync, rmSync, statSync } from 'node:fs';
import { type Failure, NO_USAGE } from '../contracts/index.ts';
import { messageOf, systemCode } from '../errors.ts';
import { openFile, readAt, writeFileAtomic } from '../files/index.ts';
import type { OwnedProcesses, ProcessEnd } from '../processes/index.ts';
import { oneLine } from '../text/index.ts';
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
interface CallProgram {
  file: string;
  args: string[];
  env: Record<string, string>;
  /** `input`: for a program that takes the instructions another way; `prompt`: instructions and input. */
  stdin: 'input' | 'prompt' | 'none';
}

/** How the program of a call ended, and where its words are. */
interface ProgramEnd {
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

/** The longest answer that is read from a file a worker printed to, bytes; the file itself stays on disk. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** As much of a worker's last words as goes into a failure's message, bytes. */
const TAIL_BYTES = 2048;

/** Where a worker's stderr goes: beside its log. */
function stderrPathOf(logPath: string): string {
  return `${logPath.replace(/\.jsonl?$/, '')}.stderr.log`;
}

/** The whole of a file that a worker printed, or undefined when it is longer than `maxBytes`. */
export function readPrinted(path: string, maxBytes = MAX_ANSWER_BYTES): string | undefined {
  const fd = openFile(path);
  try {
    const { size } = fstatSync(fd);
    return size > maxBytes ? undefined : readSpan(fd, 0, size);
  } finally {
    closeSync(fd);
  }
}

/** The last 2 kB of a file as one line of sanitized text; empty when there is none. */
export function readTail(path: string): string {
  let fd: number;
  try {
    fd = openFile(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = fstatSync(fd);
    return oneLine(readSpan(fd, Math.max(0, size - TAIL_BYTES), size).replace(/^\ufffd+/, ''));
  } finally {
    closeSync(fd);
  }
}

function readSpan(fd: number, start: number, end: number): string {
  return readAt(fd, start, end - start).toString('utf8');
}

/** Start errors that another try may not meet; all others need a person. */
const TRANSIENT_START_ERRORS = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE', 'ETXTBSY']);

/**
 * What a process's end alone says: a failure where we ended it, where it could not start, where it was killed
 * or left with a non-zero code; undefined after a clean exit. Workers that know more look there first.
 *
 * @param program how the message names it
 */
export function failureOfEnd(
  program: string,
  end: ProcessEnd,
  request: Pick<WorkRequest, 'timeoutMs' | 'idleTimeoutMs'>,
  stderrPath: string,
): Failure | undefined {
  if (end.startError !== undefined) {
    const { code, message } = end.startError;
    return {
      class: TRANSIENT_START_ERRORS.has(code) ? 'crashed' : 'config',
      message: `${program} cannot be started: ${code}: ${message}${START_HINTS[code] ?? ''}`,
    };
  }
  switch (end.ended) {
    case 'timeout':
      return { class: 'timeout', message: `${program} was ended at its limit of ${request.timeoutMs} ms` };
    case 'idle':
      return {
        class: 'timeout',
        message: `${program} was ended after it had printed nothing for ${request.idleTimeoutMs} ms`,
      };
    case 'output':
      return { class: 'crashed', message: `${program} was ended because it printed too much` };
    case 'cancelled':
      return { class: 'cancelled', message: `${program} was cancelled` };
    default:
  }
  if (end.exitCode === 0) return undefined;
  const how =
    end.killedBy === undefined ? `exited with code ${end.exitCode}` : `was killed by ${end.killedBy}`;
  const said = readTail(stderrPath);
  return { class: 'crashed', message: said === '' ? `${program} ${how}` : `${program} ${how}: ${said}` };
}

const START_HINTS: Readonly<Record<string, string>> = {
  ENOENT: '. Check that the file, its #! interpreter and the working directory exist.',
  EACCES: '. Make it executable (chmod +x).',
  ENOEXEC: '. Start the script with a #! line.',
  E2BIG: '. An argument is too long.',
};
