import type { Failure } from '../contracts/index.ts';
import { lastWords } from './printed.ts';
import type { ProcessEnd } from './process.ts';
import type { WorkRequest } from './worker.ts';

/** Start errors that another try may not meet; all others need a person. */
const PASSING_START_ERRORS = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE', 'ETXTBSY']);

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
      class: PASSING_START_ERRORS.has(code) ? 'crashed' : 'config',
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
  const said = lastWords(stderrPath);
  return { class: 'crashed', message: said === '' ? `${program} ${how}` : `${program} ${how}: ${said}` };
}

const START_HINTS: Readonly<Record<string, string>> = {
  ENOENT: '. Check that the file, its #! interpreter and the working directory exist.',
  EACCES: '. Make it executable (chmod +x).',
  ENOEXEC: '. Start the script with a #! line.',
  E2BIG: '. An argument is too long.',
};
