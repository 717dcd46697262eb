import { existsSync, mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { z } from 'zod';
import { cacheDirectory } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { ensureDirectory, readTextFile, writeJsonAtomic } from '../files/index.ts';
import { runProgram } from '../processes/index.ts';
import { sha256 } from '../text/index.ts';

/**
 * What a program can do, asked once: the finding is kept under the program's real path, size and modification
 * time, so that an update is seen without hashing 300 MB at every start. What cannot be asked to the end is an
 * error, and is never kept.
 *
 * @param cacheDir see `probesDirectory`; created when missing
 * @param binary path of the program itself, not of a wrapper that stays the same over updates
 * @param format what the finding looks like; a kept one that does not match is asked for again
 * @throws RlmError what `probe` throws
 */
export async function probeCached<T>(
  cacheDir: string,
  binary: string,
  format: z.ZodType<T>,
  probe: () => Promise<T>,
): Promise<T> {
  const file = cacheFile(cacheDir, binary);
  const kept = readKept(file, format);
  if (kept !== undefined) return kept;
  const found = await probe().catch((error: unknown) => {
    // One that was killed is asked once more: a machine short of memory picks its victims at random.
    if (error instanceof RlmError && error.retryable) return probe();
    throw error;
  });
  ensureDirectory(cacheDir);
  writeJsonAtomic(file, found);
  return found;
}

/** Puts a new finding in the place of a kept one; nothing is written where none is kept. */
export function repairProbe(cacheDir: string, binary: string, found: unknown): void {
  const file = cacheFile(cacheDir, binary);
  if (existsSync(file)) writeJsonAtomic(file, found);
}

/** Where the findings of a root are kept. */
export function probesDirectory(root: string): string {
  return cacheDirectory(root, 'probes');
}

function cacheFile(cacheDir: string, binary: string): string {
  const path = realpathSync(binary);
  const { size, mtimeMs } = statSync(path);
  const identity = sha256(JSON.stringify([path, size, mtimeMs]));
  return join(cacheDir, `${basename(path)}-${identity.slice(0, 16)}.json`);
}

function readKept<T>(file: string, format: z.ZodType<T>): T | undefined {
  try {
    const parsed = format.safeParse(JSON.parse(readTextFile(file)));
    return parsed.success ? parsed.data : undefined;
  } catch {
    // Not there, or torn: asking again costs less than an error.
    return undefined;
  }
}

/** What a program answered that was asked about itself. */
export interface ProbeAnswer {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/**
 * Asks a program about itself (`--version`, `--help`).
 *
 * @throws RlmError `unavailable`, retryable, when it did not exit by itself: that says nothing about what it can do
 */
export async function askProgram(
  file: string,
  args: readonly string[],
  options: { env: Record<string, string>; cwd?: string },
): Promise<ProbeAnswer> {
  const scratch = mkdtempSync(join(tmpdir(), 'rlm-probe-'));
  try {
    const { stdout, stderr, exitCode, interrupted } = await runProgram(file, args, {
      env: options.env,
      cwd: options.cwd ?? scratch,
    });
    if (exitCode !== null && interrupted === null) return { exitCode, stdout, stderr };
    throw new RlmError('unavailable', `${file} ${args.join(' ')} cannot be asked: ${interrupted}`, {
      hint: 'Try again; if it fails again, run that command by hand and reinstall the program.',
      retryable: true,
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
