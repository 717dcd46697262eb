import { systemCode } from '../errors.ts';

/** What a shell says of a command that SIGPIPE ended. */
const EXIT_PIPE = 141;

/**
 * Ends the command when its output goes nowhere any more: quietly where the reader has gone (`rlm runs | head`),
 * as other programs do, else with the reason. Work in the background goes on.
 */
export function endWithReader(): void {
  for (const [name, stream] of [
    ['stdout', process.stdout],
    ['stderr', process.stderr],
  ] as const) {
    stream.on('error', (error) => {
      if (systemCode(error) === 'EPIPE') process.exit(EXIT_PIPE);
      if (systemCode(error) === 'EIO' && stream.isTTY) endWithTerminal();
      if (name === 'stdout') process.stderr.write(`error: ${name} cannot be written: ${error.message}\n`);
      process.exit(1);
    });
  }
}

/**
 * Ends the command with its terminal, as a program does that does not look for SIGHUP. Node aborts, with a core dump,
 * at an exit on a terminal that has gone: it cannot set it back.
 */
export function endWithTerminal(): void {
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}
