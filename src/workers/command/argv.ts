import { basename } from 'node:path';
import { RlmError } from '../../errors.ts';
import { runCall } from '../call.ts';
import { environmentByMarks } from '../environment.ts';
import type { OwnedProcesses } from '../owned-processes.ts';
import { MAX_ANSWER_BYTES, readPrinted } from '../printed.ts';
import { failureOfEnd } from '../process-failure.ts';
import type { WorkRequest, WorkResult } from '../worker.ts';
import { fillPlaceholders } from './placeholders.ts';

/** Any program: the prompt comes on its stdin, what it prints on stdout is the answer. */
export interface ArgvOptions {
  /** `{prompt_file}`, `{chunk_id}`, `{model}` and `{schema_file}` are filled in, in every element. */
  argv: readonly string[];
  /** Names of further environment variables it may see. */
  environment?: readonly string[] | undefined;
}

/** @throws RlmError `usage` when the command is empty */
export function argvCall(
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
      chunk_id: request.told?.chunkId ?? request.id,
      model: request.model ?? '',
      schema_file: request.told?.schemaPath ?? request.schema?.path ?? '',
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
