import { resultOfCall } from '../call.ts';
import { OwnedProcesses } from '../owned-processes.ts';
import type { Worker } from '../worker.ts';
import { type ArgvOptions, argvCall } from './argv.ts';
import { type RunnerScriptOptions, runnerScriptCall } from './runner-script.ts';

/** A program of the user's own: one that speaks the runner protocol, or any at all. */
export type CommandOptions = RunnerScriptOptions | ArgvOptions;

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
