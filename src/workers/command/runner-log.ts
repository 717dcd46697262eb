import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { type CodexLog, readCodexLog } from '../codex/log.ts';

/** Paths a runner printed that are kept until its end: the last that exists is the log. */
const MAX_PATHS = 64;

/**
 * Reads what a runner script printed: the JSONL log at the last printed path that ends in `.jsonl` and exists,
 * else its output as the log (CONTRACTS.md A).
 *
 * @param cwd where the runner ran: relative paths start there
 */
export async function readRunnerOutput(
  stdoutPath: string,
  cwd: string,
): Promise<{ log: CodexLog; path: string | undefined }> {
  const printed: string[] = [];
  const own = await readCodexLog(stdoutPath, {
    onLine(line) {
      const text = line.trimEnd();
      if (!text.endsWith('.jsonl')) return;
      printed.push(text.trimStart());
      if (printed.length > MAX_PATHS) printed.shift();
    },
  });
  for (const name of printed.reverse()) {
    if (name.includes('\0')) continue;
    const path = isAbsolute(name) ? name : resolve(cwd, name);
    // A pipe or a device would never end.
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) continue;
    return { log: await readCodexLog(path), path };
  }
  return { log: own, path: undefined };
}
