import { lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import picomatch from 'picomatch';
import type { SkippedSource, SkipReason } from '../../contracts/index.ts';
import { messageOf, RlmError, systemCode } from '../../errors.ts';
import { isInside } from '../../files/index.ts';
import { yieldRegularly } from '../event-loop.ts';
import { type IgnoreRules, ignoreRulesFor } from './ignore-rules.ts';

/** A regular file that is to be read. */
export interface Candidate {
  /** As it will be cited. */
  path: string;
  /** Absolute. */
  file: string;
  stats: Stats;
}

export interface Discovery {
  /** Sorted by path, each real file once. */
  candidates: Candidate[];
  skipped: SkippedSource[];
  ignored: number;
}

export interface DiscoverOptions {
  /** Where relative inputs start, and what cited paths are relative to. Absolute. */
  base: string;
  /** When given, nothing outside these directories is read, also not through symlinks. */
  allowedRoots?: readonly string[] | undefined;
  yieldIfDue: () => Promise<void> | undefined;
}

/**
 * Finds the documents that files, directories and globs name. What is found but cannot be read is listed with
 * a reason; what a .gitignore hides is counted. A file named itself is read whatever a .gitignore says.
 *
 * @throws RlmError `usage` when an input names nothing, `forbidden` when it lies outside the allowed roots
 */
export async function discover(inputs: readonly string[], options: DiscoverOptions): Promise<Discovery> {
  if (inputs.length === 0) {
    throw new RlmError('usage', 'no input was named', { hint: 'Name files, directories or globs to read.' });
  }
  const walk = new Walk(options);
  for (const input of inputs) await walk.input(input);
  return walk.result();
}

/**
 * Checks that every input names something that may be read, before anything is made for it. No document is opened.
 *
 * @throws RlmError as `discover`
 */
export async function checkInputs(
  inputs: readonly string[],
  options: Omit<DiscoverOptions, 'yieldIfDue'>,
): Promise<void> {
  const walk = new Walk({ ...options, yieldIfDue: yieldRegularly() });
  for (const input of inputs) await walk.check(input);
}

interface FoundFile {
  candidate: Candidate;
  /** Where its name leads, symlinks resolved. */
  real: string;
  linked: boolean;
}

class Walk {
  readonly #options: DiscoverOptions;
  readonly #roots: string[] | undefined;
  readonly #found = new Map<string, FoundFile>();
  readonly #skipped = new Map<string, SkippedSource>();
  readonly #directories = new Set<string>();
  readonly #ignored = new Set<string>();

  constructor(options: DiscoverOptions) {
    this.#options = options;
    this.#roots = options.allowedRoots?.map((root) => realpathSync(resolve(options.base, root)));
  }

  async input(input: string): Promise<void> {
    // Seen directories guard against loops within one input; the next one may see other things in them.
    this.#directories.clear();
    const path = this.#placeOf(input);
    if (path === undefined) return this.#glob(input, picomatch.scan(input).base);
    const target = statSync(path, { throwIfNoEntry: false });
    if (target?.isDirectory()) {
      await this.#directory(path, ignoreRulesFor(path), () => true);
    } else this.#file(path);
  }

  /** Whether an input names something; only a glob takes a walk to know. */
  async check(input: string): Promise<void> {
    if (this.#placeOf(input) === undefined) await this.input(input);
  }

  /** The file or directory that an input names; undefined for a glob. */
  #placeOf(input: string): string | undefined {
    if (input.includes('\0')) throw new RlmError('usage', 'an input contains a NUL byte');
    const path = resolve(this.#options.base, input);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
      if (picomatch.scan(input).isGlob) return undefined;
      throw new RlmError('usage', `input '${input}' does not exist`, {
        hint: `Relative inputs start at ${this.#options.base}.`,
      });
    }
    this.#refuseOutside(input, path);
    return path;
  }

  async #glob(pattern: string, base: string): Promise<void> {
    const directory = resolve(this.#options.base, base === '' ? '.' : base);
    if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
      throw new RlmError('usage', `input '${pattern}' matches nothing: there is no directory ${directory}`);
    }
    this.#refuseOutside(pattern, directory);
    const absolute = isAbsolute(pattern) ? pattern : join(escapeGlob(this.#options.base), pattern);
    const matches = picomatch(absolute.split(sep).join('/'), { dot: true });
    const before = this.#found.size + this.#skipped.size;
    await this.#directory(directory, ignoreRulesFor(directory), matches);
    if (
      this.#found.size + this.#skipped.size === before &&
      ![...this.#found.keys()].some((path) => matches(path))
    ) {
      throw new RlmError('usage', `input '${pattern}' matches no file`, {
        hint: 'Files that a .gitignore hides are matched only when named themselves.',
      });
    }
  }

  #refuseOutside(input: string, path: string): void {
    if (this.#roots === undefined) return;
    let real = path;
    try {
      real = realpathSync(path);
    } catch {
      // A broken link is judged by its own place, and listed later.
    }
    if (this.#isAllowed(real)) return;
    throw new RlmError('forbidden', `input '${input}' lies outside the directories that may be read`, {
      hint: `Allowed are: ${this.#roots.join(', ')}. More can be named as input_roots in .rlm/config.json.`,
    });
  }

  #isAllowed(real: string): boolean {
    return this.#roots === undefined || this.#roots.some((root) => isInside(root, real));
  }

  async #directory(directory: string, rules: IgnoreRules, matches: (path: string) => boolean): Promise<void> {
    let real: string;
    let entries: string[];
    try {
      real = realpathSync(directory);
      if (!this.#isAllowed(real)) {
        this.#skip(directory, 'outside_roots', 'a symlink to a directory outside');
        return;
      }
      // Reached before, by another link or in a loop: what it holds is already listed.
      if (this.#directories.has(real)) return;
      entries = readdirSync(directory).sort();
    } catch (error) {
      this.#skip(directory, 'unreadable', messageOf(error));
      return;
    }
    this.#directories.add(real);
    for (const name of entries) {
      await this.#options.yieldIfDue();
      const path = join(directory, name);
      const stats = statSyncOrUndefined(path);
      const isDirectory = stats?.isDirectory() ?? false;
      if (rules.hides(path, isDirectory)) {
        this.#ignored.add(path);
      } else if (isDirectory) await this.#directory(path, rules.within(path), matches);
      else if (matches(path.split(sep).join('/'))) this.#file(path);
    }
  }

  #file(path: string): void {
    let stats: Stats;
    let real: string;
    let linked: boolean;
    try {
      linked = lstatSync(path).isSymbolicLink();
      stats = statSync(path);
      real = realpathSync(path);
    } catch (error) {
      const code = systemCode(error);
      const broken = code === 'ENOENT' || code === 'ELOOP';
      this.#skip(path, broken ? 'broken_symlink' : 'unreadable', messageOf(error));
      return;
    }
    if (!this.#isAllowed(real)) {
      this.#skip(path, 'outside_roots', `a symlink to ${real}`);
      return;
    }
    if (!stats.isFile()) {
      this.#skip(path, 'not_a_file', natureOf(stats));
      return;
    }
    const key = resolve(path);
    this.#skipped.delete(key);
    this.#found.set(key, { candidate: { path: this.#cited(path), file: key, stats }, real, linked });
  }

  #skip(path: string, reason: SkipReason, detail: string): void {
    this.#skipped.set(path, {
      status: 'skipped',
      path: this.#cited(path),
      file: path,
      bytes: null,
      reason,
      detail,
    });
  }

  #cited(path: string): string {
    if (!isInside(this.#options.base, path)) return path;
    return relative(this.#options.base, path).split(sep).join('/');
  }

  result(): Discovery {
    // A file that several names lead to is read once, under its own name rather than a link's.
    const byReal = new Map<string, FoundFile>();
    const entries = [...this.#found.values()].sort(
      (a, b) => Number(a.linked) - Number(b.linked) || order(a.candidate.path, b.candidate.path),
    );
    for (const entry of entries) {
      const first = byReal.get(entry.real);
      if (first === undefined) byReal.set(entry.real, entry);
      else this.#skip(entry.candidate.file, 'duplicate', `the same file as ${first.candidate.path}`);
    }
    const candidates = [...byReal.values()].map((entry) => entry.candidate);
    return {
      candidates: candidates.sort((a, b) => order(a.path, b.path)),
      skipped: [...this.#skipped.values()].sort((a, b) => order(a.path, b.path)),
      ignored: this.#ignored.size,
    };
  }
}

/** By code unit, the same on every machine. */
function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function statSyncOrUndefined(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function natureOf(stats: Stats): string {
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  if (stats.isDirectory()) return 'a directory';
  return 'a device';
}

function escapeGlob(path: string): string {
  return path.replace(/[\\*?[\]{}()!+@]/g, '\\$&');
}
