import { copyFileSync, existsSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { RlmError } from '../errors.ts';
import { ensureDirectory, writeFileAtomic } from '../files/index.ts';
import { runProgram, workerEnvironment } from '../processes/index.ts';
import { oneLine } from '../text/index.ts';

/** A snapshot hashes every file that changed; a large tree takes a while the first time, milliseconds. */
const SNAPSHOT_TIMEOUT_MS = 600_000;
/** A patch is stored, and shown in reports; a larger one is cut off by an error. */
const MAX_PATCH_BYTES = 256 * 1024 * 1024;

/**
 * Copies an index with its time: git takes a file for unchanged whose size and second are those of its entry, unless
 * the index is of the same second. A copy of now would hide what was changed within the second of a checkout.
 */
export function copyIndex(from: string, to: string): void {
  const { atime, mtime } = statSync(from);
  copyFileSync(from, to);
  utimesSync(to, atime, mtime);
}

/** What changed between two trees. */
export interface TreeChange {
  files: Array<{ path: string; status: 'added' | 'changed' | 'deleted' }>;
  insertions: number;
  deletions: number;
}

export interface GitOptions {
  env?: Record<string, string>;
  /** With a person's configuration; else none is read. */
  configured?: boolean;
  /** Also a failed call returns what it printed. */
  allowFailure?: boolean;
}

/** Runs git in a directory, without hooks or prompts. */
export async function git(
  directory: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<string> {
  const isolated: Record<string, string> = options.configured
    ? {}
    : { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };
  const result = await runProgram(
    'git',
    ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'core.quotePath=false', ...args],
    {
      cwd: directory,
      env: workerEnvironment({
        values: {
          GIT_TERMINAL_PROMPT: '0',
          GIT_OPTIONAL_LOCKS: '0',
          LC_ALL: 'C.UTF-8',
          ...isolated,
          ...options.env,
        },
      }),
      timeoutMs: SNAPSHOT_TIMEOUT_MS,
      maxBytes: MAX_PATCH_BYTES,
    },
  );
  if (result.exitCode === 0 || (options.allowFailure === true && result.exitCode !== null))
    return result.stdout;
  const why = result.interrupted ?? oneLine(result.stderr, 400);
  if (why.includes('ENOENT')) {
    throw new RlmError('unavailable', 'git is not installed', {
      hint: 'Install git: refine keeps its snapshots with it.',
    });
  }
  throw new RlmError('unavailable', `git ${args[0]} failed in ${directory}: ${why}`);
}

/**
 * Snapshots of a directory in a git repository of their own, outside of it: what is ignored there is not in them, and
 * a person's repository, index and stash are never touched. Works where there is no repository, too.
 */
export class Snapshots {
  readonly directory: string;
  readonly #env: Record<string, string>;
  readonly #store: string;

  readonly #all: boolean;

  private constructor(directory: string, store: string, all: boolean) {
    this.directory = directory;
    this.#store = store;
    this.#all = all;
    this.#env = { GIT_DIR: store, GIT_WORK_TREE: directory };
  }

  /**
   * @param store directory of the snapshots' repository; made when it is missing
   * @param options.without paths in the directory that are no part of it, such as links to dependencies
   * @param options.all ignored files as well
   */
  static async open(
    directory: string,
    store: string,
    { without = [], all = false }: { without?: readonly string[]; all?: boolean } = {},
  ): Promise<Snapshots> {
    const snapshots = new Snapshots(directory, store, all);
    if (!existsSync(join(store, 'HEAD'))) {
      ensureDirectory(store);
      await git(directory, ['init', '--quiet', '--bare', store]);
      await snapshots.#seed(without);
    }
    return snapshots;
  }

  /** Takes over what a person's own repository knows of its files, so that they need not be read again. */
  async #seed(without: readonly string[]): Promise<void> {
    const own = join(this.directory, '.git');
    const exclude = join(own, 'info', 'exclude');
    const ignored = ['/.rlm/', ...without.map((path) => `/${path}`)].join('\n');
    writeFileAtomic(
      join(this.#store, 'info', 'exclude'),
      `${existsSync(exclude) ? readFileSync(exclude, 'utf8') : ''}\n${ignored}\n`,
    );
    if (!existsSync(join(own, 'objects')) || !existsSync(join(own, 'index'))) return;
    writeFileAtomic(join(this.#store, 'objects', 'info', 'alternates'), `${join(own, 'objects')}\n`);
    copyIndex(join(own, 'index'), join(this.#store, 'index'));
  }

  #git(args: readonly string[], allowFailure = false): Promise<string> {
    return git(this.directory, args, { env: this.#env, allowFailure });
  }

  /** Takes a snapshot. @returns the id of its tree */
  async take(): Promise<string> {
    await this.#git(['add', '--all', ...(this.#all ? ['--force'] : []), '.']);
    return (await this.#git(['write-tree'])).trim();
  }

  async compare(before: string, after: string): Promise<TreeChange> {
    const change: TreeChange = { files: [], insertions: 0, deletions: 0 };
    if (before === after) return change;
    const args = ['diff-tree', '-r', '-z', '--no-renames', '--raw', '--numstat', before, after];
    const parts = (await this.#git(args)).split('\0');
    for (let at = 0; at < parts.length; at += 1) {
      const part = parts[at] ?? '';
      if (part.startsWith(':')) {
        // `:mode mode hash hash status`, then the path.
        const status = part.endsWith('A') ? 'added' : part.endsWith('D') ? 'deleted' : 'changed';
        at += 1;
        change.files.push({ path: parts[at] ?? '', status });
      } else {
        // `added\tdeleted\tpath`; of a binary file two dashes.
        const [insertions, deletions] = part.split('\t').map(Number);
        change.insertions += insertions || 0;
        change.deletions += deletions || 0;
      }
    }
    return change;
  }

  /** The difference of two trees as a patch that `git apply` takes. */
  patch(before: string, after: string): Promise<string> {
    return this.#git(['diff-tree', '-r', '-p', '--binary', '--full-index', before, after]);
  }

  /** The content of a file in a tree; undefined when it has none. */
  async read(tree: string, path: string): Promise<string | undefined> {
    const listed = await this.#git(['ls-tree', '-z', tree, '--', path]);
    return listed === '' ? undefined : this.#git(['cat-file', 'blob', `${tree}:${path}`]);
  }

  /** Puts files back as they are in a tree; those that are not in it are removed. */
  async restore(tree: string, paths: readonly string[]): Promise<void> {
    await this.#git([
      'restore',
      `--source=${tree}`,
      '--staged',
      '--worktree',
      '--',
      ...paths.map((path) => `:(literal)${path}`),
    ]);
  }

  /** Makes the whole directory what a tree says; ignored files stay. */
  async restoreAll(tree: string): Promise<void> {
    await this.take();
    await this.#git(['read-tree', '--reset', '-u', tree]);
  }
}
