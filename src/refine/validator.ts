import { closeSync, existsSync, fstatSync, openSync, rmSync } from 'node:fs';
import { delimiter, isAbsolute, join, relative } from 'node:path';
import type { ValidatorRun } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { readAt } from '../files/index.ts';
import type { OwnedProcesses } from '../processes/index.ts';
import { type Digest, digestOutput } from './digest.ts';

/** The end of an output that is read: counts and failures are there. */
const TAIL_BYTES = 256 * 1024;
/** What a shell says of a program that it cannot find or start. */
const CANNOT_START = new Set([126, 127]);
/** Keys of model providers: tests of a person's code have no business with them. */
const PROVIDER_KEYS =
  /^(?:OPENAI|CODEX|ANTHROPIC|CLAUDE|AZURE_OPENAI|GEMINI|GOOGLE|OPENROUTER|MISTRAL|GROQ|DEEPSEEK|XAI)_.*(?:KEY|TOKEN)$/;

/** What only a shell can do. Within double quotes `$` and the backquote still count. */
const SHELL_ONLY: Readonly<Record<string, string>> = {
  '|': 'a pipe',
  '&': 'the operator &',
  ';': 'the operator ;',
  '<': 'a redirection',
  '>': 'a redirection',
  '(': 'a subshell',
  ')': 'a subshell',
  $: 'a variable or substitution',
  '`': 'a command substitution',
  '*': 'a pattern',
  '?': 'a pattern',
  '\n': 'a line break',
};

/**
 * Splits a command into words by the quoting rules of POSIX shells, and does nothing else that a shell does.
 *
 * @throws RlmError `usage` for an operator outside quotes, an unclosed quote, or an empty command
 */
export function splitCommand(command: string): string[] {
  const fail = (what: string) =>
    new RlmError('usage', `the command ${JSON.stringify(command)} ${what}`, {
      hint: { text: 'No shell runs it: put it into a script, and name the script.' },
    });
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < command.length; at += 1) {
    const char = command.charAt(at);
    const next = command.charAt(at + 1);
    if (quote !== '') {
      if (char === quote) quote = '';
      else if (quote === '"' && char === '\\' && '"\\$`'.includes(next)) {
        word = `${word}${next}`;
        at += 1;
      } else if (quote === '"' && (char === '$' || char === '`')) throw fail(`has ${SHELL_ONLY[char]}`);
      else word = `${word}${char}`;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= '';
    } else if (char === '\\') {
      if (next === '') throw fail('ends in a backslash');
      word = `${word ?? ''}${next}`;
      at += 1;
    } else if (SHELL_ONLY[char] !== undefined) throw fail(`has ${SHELL_ONLY[char]}`);
    else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = `${word ?? ''}${char}`;
  }
  if (quote !== '') throw fail('has a quote that is not closed');
  if (word !== undefined) words.push(word);
  if ((words[0] ?? '') === '') throw fail('is empty');
  return words;
}

/** Whether a program can be found, without starting it. */
export function canFindProgram(program: string, directory: string, path = process.env.PATH ?? ''): boolean {
  if (program.includes('/')) return existsSync(isAbsolute(program) ? program : join(directory, program));
  return path.split(delimiter).some((part) => part !== '' && existsSync(join(part, program)));
}

/** A person's environment without the keys of model providers. */
function validatorEnvironment(
  marks: Record<string, string>,
  source: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(source)) {
    if (value !== undefined && !PROVIDER_KEYS.test(name)) kept[name] = value;
  }
  // Runners colour and redraw for a person; what reads it here wants plain lines.
  return { ...kept, CI: kept.CI ?? 'true', NO_COLOR: '1', FORCE_COLOR: '0', ...marks };
}

export interface ValidatorCall {
  argv: readonly string[];
  directory: string;
  runDir: string;
  /** File that everything it prints goes to. */
  outputPath: string;
  timeoutMs: number;
  idleTimeoutMs: number;
  marks: Record<string, string>;
  signal: AbortSignal;
}

/** A run of a validator and the end of what it printed; `cannotStart` says why it could not be run at all. */
export interface Validation {
  run: ValidatorRun;
  tail: string;
  cannotStart: string | undefined;
}

/** Runs a validator in a process group of its own. Everything it prints is kept; only its end is read. */
export async function runValidator(call: ValidatorCall, processes: OwnedProcesses): Promise<Validation> {
  const [file = '', ...args] = call.argv;
  rmSync(call.outputPath, { force: true });
  const end = await processes.run({
    file,
    args,
    cwd: call.directory,
    env: validatorEnvironment(call.marks),
    stdoutPath: call.outputPath,
    stderrPath: call.outputPath,
    timeoutMs: call.timeoutMs,
    idleTimeoutMs: call.idleTimeoutMs,
    signal: call.signal,
  });
  const tail = readTail(call.outputPath);
  const digest: Digest = digestOutput(tail, call.directory);
  const passed = end.exitCode === 0 && end.ended === undefined;
  const notFound = end.exitCode !== undefined && CANNOT_START.has(end.exitCode);
  return {
    tail,
    cannotStart:
      end.startError !== undefined
        ? `${file}: ${end.startError.message}`
        : notFound
          ? `${call.argv.join(' ')} ended with ${end.exitCode}: a program of it is missing or cannot be run`
          : undefined,
    run: {
      passed,
      exit_code: end.exitCode ?? null,
      ended_by: endedBy(end.ended),
      signal: end.killedBy ?? null,
      duration_ms: Math.round(end.durationMs),
      tests: digest.tests,
      failures: passed ? [] : digest.failures,
      fingerprint: passed ? null : digest.fingerprint,
      output: relative(call.runDir, call.outputPath),
    },
  };
}

function endedBy(ended: 'timeout' | 'idle' | 'output' | 'cancelled' | undefined): ValidatorRun['ended_by'] {
  if (ended === undefined || ended === 'output' || ended === 'cancelled') return ended ?? null;
  return ended === 'timeout' ? 'wall' : 'silence';
}

/** The end of a file as text; '' when there is none. */
export function readTail(path: string, bytes = TAIL_BYTES): string {
  if (!existsSync(path)) return '';
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const length = Math.min(size, bytes);
    return Buffer.from(readAt(fd, size - length, length)).toString('utf8');
  } finally {
    closeSync(fd);
  }
}
