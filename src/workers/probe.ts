import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { z } from 'zod';
import { RlmError } from '../errors.ts';
import { ensureDirectory, writeJsonAtomic } from '../files/index.ts';
import { readPrinted } from './call.ts';
import { type ProcessEnd, runProcess } from './process.ts';

/** A program that only tells about itself answers well within this, milliseconds. */
const PROBE_TIMEOUT_MS = 30_000;
const MAX_PROBE_BYTES = 4 * 1024 * 1024;

/**
 * What a program can do, asked once: the finding is kept under the program's real path, size and modification
 * time, so that an update is seen without hashing 300 MB at every start.
 *
 * @param cacheDir such as `<root>/.rlm/cache/probes`; created when missing
 * @param binary path of the program itself, not of a wrapper that stays the same over updates
 * @param format what the finding looks like; a kept one that does not match is asked for again
 */
export async function probeCached<T>(
  cacheDir: string,
  binary: string,
  format: z.ZodType<T>,
  probe: () => Promise<T>,
): Promise<T> {
  const path = realpathSync(binary);
  const { size, mtimeMs } = statSync(path);
  const identity = createHash('sha256')
    .update(JSON.stringify([path, size, mtimeMs]))
    .digest('hex');
  const file = join(cacheDir, `${basename(path)}-${identity.slice(0, 16)}.json`);
  const kept = readKept(file, format);
  if (kept !== undefined) return kept;
  const found = await probe();
  ensureDirectory(cacheDir);
  writeJsonAtomic(file, found);
  return found;
}

function readKept<T>(file: string, format: z.ZodType<T>): T | undefined {
  try {
    const parsed = format.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    // Not there, or torn: asking again costs less than an error.
    return undefined;
  }
}

export interface ProbeOutput {
  end: ProcessEnd;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program that tells about itself (`--version`, `--help`) and returns what it printed.
 *
 * @throws RlmError `unavailable` when it cannot be started or takes longer than 30 s
 */
export async function askProgram(
  file: string,
  args: string[],
  options: { env: Record<string, string>; cwd?: string },
): Promise<ProbeOutput> {
  const directory = mkdtempSync(join(tmpdir(), 'rlm-probe-'));
  try {
    const stdoutPath = join(directory, 'stdout');
    const stderrPath = join(directory, 'stderr');
    const end = await runProcess({
      file,
      args,
      cwd: options.cwd ?? directory,
      env: options.env,
      stdoutPath,
      stderrPath,
      timeoutMs: PROBE_TIMEOUT_MS,
      idleTimeoutMs: PROBE_TIMEOUT_MS,
      signal: new AbortController().signal,
    });
    if (end.startError !== undefined || end.ended !== undefined) {
      const why = end.startError?.message ?? `it did not answer within ${PROBE_TIMEOUT_MS} ms`;
      throw new RlmError('unavailable', `${file} ${args.join(' ')} cannot be asked: ${why}`, {
        hint: 'Run that command by hand; reinstall the program if it fails there too.',
      });
    }
    return {
      end,
      stdout: readPrinted(stdoutPath, MAX_PROBE_BYTES) ?? '',
      // Gone when nothing was printed to it.
      stderr: existsSync(stderrPath) ? (readPrinted(stderrPath, MAX_PROBE_BYTES) ?? '') : '',
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
