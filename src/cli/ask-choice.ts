import { createInterface } from 'node:readline/promises';
import type { Choices } from '../errors.ts';
import { oneLine } from '../text/index.ts';

/**
 * Asks the person at the terminal: a number takes an option, anything else is taken as it is typed.
 *
 * @returns undefined when nothing was answered
 */
export async function askChoice(
  { question, options }: Choices,
  signal: AbortSignal,
): Promise<string | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const lines = options.map(({ label }, index) => `  ${index + 1}) ${oneLine(label)}`);
    process.stderr.write(`${question}\n${lines.join('\n')}\n`);
    const answer = (await terminal.question('A number, or a command: ', { signal })).trim();
    if (answer === '') return undefined;
    return /^\d+$/.test(answer) ? options[Number(answer) - 1]?.value : answer;
  } catch (error) {
    // Ctrl-C and Ctrl-D answer nothing.
    if (error instanceof Error && (error.name === 'AbortError' || error.message.includes('closed')))
      return undefined;
    throw error;
  } finally {
    terminal.close();
  }
}
