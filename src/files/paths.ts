import { existsSync, lstatSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RlmError, systemCode } from '../errors.ts';

/** Whether `path` is `root` or lies below it. Both must be absolute and normalised. */
export function isInside(root: string, path: string): boolean {
  if (path === root) return true;
  return path.startsWith(root.endsWith(sep) ? root : root + sep);
}

/** The real path of the deepest part that exists, with the rest appended: a path about to be created. */
function realpathOfExisting(path: string): string {
  let existing = path;
  const missing: string[] = [];
  for (;;) {
    if (isThere(existing)) break;
    const parent = dirname(existing);
    if (parent === existing) break;
    missing.unshift(basename(existing));
    existing = parent;
  }
  return join(realpathSync.native(existing), ...missing);
}

/** Whether there is anything at a path, a dangling symlink included. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/**
 * Resolves `candidate` against `root` and proves that it stays there: resolve, inside, realpath, inside again.
 *
 * @param root directory that must contain the path
 * @param candidate absolute path, or one relative to `base`
 * @param what how an error names the path, such as `output_path`
 * @param base where a relative candidate starts; `root` unless given
 * @returns the absolute path, not yet realpath'd, so that what is shown is what was asked for
 * @throws RlmError `forbidden` when it leaves the root, also through a symlink
 */
export function resolveInside(root: string, candidate: string, what: string, base = root): string {
  return insideOf(root)(candidate, what, base);
}

/** Directories that are remembered while many paths are checked. */
const MOST_DIRECTORIES = 1000;

/** As `resolveInside`, for many paths at a time: the root, and directories below it, are looked at once. */
export function insideOf(root: string): (candidate: string, what: string, base?: string) => string {
  const absoluteRoot = resolve(root);
  // What does not exist holds no symlinks: the paths of a million jobs of a new run cost little.
  const realRoot = isThere(absoluteRoot) ? realpathOfExisting(absoluteRoot) : undefined;
  const realDirectories = new Map<string, string>();
  /** Of what is no symlink itself the directory decides, and many paths share theirs. */
  const realpathOf = (path: string): string => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined || stat.isSymbolicLink()) return realpathOfExisting(path);
    const directory = dirname(path);
    const real = realDirectories.get(directory) ?? realpathSync.native(directory);
    if (realDirectories.size >= MOST_DIRECTORIES) realDirectories.clear();
    realDirectories.set(directory, real);
    return join(real, basename(path));
  };
  return (candidate, what, base = root) => {
    if (candidate.includes('\0')) throw new RlmError('forbidden', `${what} contains a NUL byte`);
    const path = isAbsolute(candidate) ? resolve(candidate) : resolve(base, candidate);
    const refuse = (detail: string): never => {
      throw new RlmError('forbidden', `${what} '${candidate}' ${detail} '${absoluteRoot}'`, {
        hint: 'Give a path inside that directory, without .. and without symlinks that lead out of it.',
      });
    };
    if (!isInside(absoluteRoot, path)) refuse('lies outside');
    if (realRoot === undefined) return path;
    let real: string;
    try {
      real = realpathOf(path);
    } catch (error) {
      const below = systemCode(error) === 'ENOTDIR';
      return refuse(below ? 'leads through a file under' : 'is a broken symlink under');
    }
    if (!isInside(realRoot, real)) refuse('leads through a symlink out of');
    return path;
  };
}

/**
 * The directory of this package: where `dist/` and `skills/` lie, from wherever in it this code was loaded.
 *
 * @throws RlmError `internal` when the code was taken out of its package
 */
export function packageRoot(): string {
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    const manifest = join(directory, 'package.json');
    if (existsSync(manifest) && /"name":\s*"rlm-mcp"/.test(readFileSync(manifest, 'utf8'))) return directory;
    if (directory === dirname(directory)) {
      throw new RlmError('internal', 'this program is not in its package any more', {
        hint: 'Install rlm-mcp again.',
      });
    }
  }
}
