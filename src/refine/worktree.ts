import { existsSync, lstatSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RlmError } from '../errors.ts';
import { ensureDirectory } from '../files/index.ts';
import { copyIndex, type GitOptions, git } from './snapshots.ts';

/** Ignored directories that hold what a validator needs and git does not carry. */
const DEPENDENCIES = new Set([
  'node_modules',
  '.venv',
  'venv',
  'vendor',
  '.yarn',
  'bower_components',
  'deps',
]);
/** git waits for no lock of another git; this many tries take about ten seconds. */
const MAX_TRIES = 15;
const SNAPSHOT_MESSAGE = 'Working tree before rlm refine';

/** git in a person's repository, with that person's configuration: filters, owners and names are theirs. */
function run(directory: string, args: readonly string[], options: GitOptions = {}): Promise<string> {
  return git(directory, args, { ...options, configured: true });
}

/** A person's repository, as far as isolation needs it. */
interface Repository {
  /** Where its working tree begins. */
  top: string;
  /** From there to the root of the run; '' or ending in `/`. */
  prefix: string;
  /** undefined before the first commit. */
  head: string | undefined;
}

/** A git worktree that holds the tree as it is, uncommitted changes included. */
export interface Worktree {
  /** Where work happens: the run's root, as it is in the worktree. */
  directory: string;
  /** Links to dependency directories: not part of the work. */
  links: string[];
}

/** @throws RlmError `usage` when `root` is not in a git repository */
async function openRepository(root: string): Promise<Repository> {
  const where = await run(root, ['rev-parse', '--show-toplevel', '--show-prefix'], { allowFailure: true });
  const [top = '', prefix = ''] = where.split('\n');
  if (top === '') {
    throw new RlmError(
      'usage',
      `${root} is not in a git repository, so nothing can be isolated in a worktree`,
      {
        hint: { text: 'Run `git init` and commit first, or leave isolation out.' },
      },
    );
  }
  const head = (await run(root, ['rev-parse', '--verify', '--quiet', 'HEAD'], { allowFailure: true })).trim();
  return { top, prefix, head: head === '' ? undefined : head };
}

/**
 * A commit of the working tree as it is, made beside the person's index: HEAD, index, stash and status stay as they are.
 *
 * @param directory whose files are taken: the person's working tree, or a worktree of it
 */
async function commitOf(
  { top, head }: Repository,
  from: {
    directory: string;
    parent: string | undefined;
    message: string;
    without: readonly string[];
    index: string;
  },
): Promise<string> {
  const own = join(await gitDirectory(from.directory), 'index');
  if (existsSync(own)) copyIndex(own, from.index);
  const env = { GIT_INDEX_FILE: from.index };
  try {
    // The state of rlm ignores itself.
    await run(from.directory, ['add', '--all', '.'], { env });
    if (from.without.length > 0) {
      const links = from.without.map((path) => `:(top,literal)${path}`);
      await run(from.directory, ['rm', '--cached', '--quiet', '--ignore-unmatch', '--', ...links], { env });
    }
    const tree = (await run(from.directory, ['write-tree'], { env })).trim();
    const parent = from.parent ?? head;
    return (
      await run(
        top,
        ['commit-tree', tree, ...(parent === undefined ? [] : ['-p', parent]), '-m', from.message],
        {
          env: await identity(top),
        },
      )
    ).trim();
  } finally {
    rmSync(from.index, { force: true });
    rmSync(`${from.index}.lock`, { force: true });
  }
}

async function gitDirectory(directory: string): Promise<string> {
  return (await run(directory, ['rev-parse', '--absolute-git-dir'])).trim();
}

/** Who commits: the person, or the program where git does not know the person. */
async function identity(top: string): Promise<Record<string, string>> {
  const read = async (key: string) =>
    (await run(top, ['config', '--get', key], { allowFailure: true })).trim();
  const [name, email] = [(await read('user.name')) || 'rlm', (await read('user.email')) || 'rlm@localhost'];
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  };
}

/** Where the worktrees of a run lie: outside the repository, so that no tool takes them for a part of it. */
export function worktreeDirectory(runId: string, candidate: number): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'rlm', 'worktrees', `${runId}-${candidate}`);
}

/**
 * Makes a worktree at `path` from the tree of `root` as it is. One that is there already is used as it is.
 *
 * @param temporary a path for the index that the snapshot is made with
 */
export async function openWorktree(root: string, path: string, temporary: string): Promise<Worktree> {
  const repository = await openRepository(root);
  if (!existsSync(path)) {
    const base = await commitOf(repository, {
      directory: repository.top,
      parent: undefined,
      message: SNAPSHOT_MESSAGE,
      without: [],
      index: temporary,
    });
    ensureDirectory(dirname(path));
    await patiently(() => run(repository.top, ['worktree', 'add', '--quiet', '--detach', path, base]));
  }
  return { directory: join(path, repository.prefix), links: await linkDependencies(repository.top, path) };
}

/** Links ignored dependency directories into a worktree. @returns their paths in it */
async function linkDependencies(top: string, path: string): Promise<string[]> {
  const listed = await run(top, [
    'ls-files',
    '-z',
    '--others',
    '--ignored',
    '--exclude-standard',
    '--directory',
  ]);
  const links: string[] = [];
  for (const entry of listed.split('\0')) {
    const name = entry.replace(/\/$/, '');
    if (!DEPENDENCIES.has(basename(name)) || name.startsWith('.rlm/')) continue;
    if (!statSync(join(top, name), { throwIfNoEntry: false })?.isDirectory()) continue;
    links.push(name);
    const link = join(path, name);
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    ensureDirectory(dirname(link));
    symlinkSync(join(top, name), link);
  }
  return links;
}

/** Puts the work of a worktree on a branch of the person's repository. Nothing is checked out. */
export async function publishBranch(
  root: string,
  worktree: { path: string; links: readonly string[] },
  result: { branch: string; message: string; temporary: string },
): Promise<void> {
  const repository = await openRepository(root);
  const base = (await run(worktree.path, ['rev-parse', 'HEAD'])).trim();
  const commit = await commitOf(repository, {
    directory: worktree.path,
    parent: base,
    message: result.message,
    without: worktree.links,
    index: result.temporary,
  });
  await run(repository.top, ['update-ref', `refs/heads/${result.branch}`, commit]);
}

/** Tries again where another git holds a lock of the same repository: many runs may make worktrees at once. */
async function patiently(work: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (tries === MAX_TRIES) throw error;
      await sleep(tries * 50 * (1 + Math.random()));
    }
  }
}

/** Removes a worktree and what git knows of it; the links in it, not what they lead to. */
export async function removeWorktree(root: string, path: string): Promise<void> {
  const { top } = await openRepository(root);
  if (!existsSync(path)) return;
  await patiently(() => run(top, ['worktree', 'remove', '--force', path]));
}

/** What must be the same before and after an isolated run: HEAD, index, stash, status. */
export async function treeState(root: string): Promise<string> {
  const { top } = await openRepository(root);
  const parts = [
    await run(top, ['rev-parse', '--symbolic-full-name', 'HEAD'], { allowFailure: true }),
    await run(top, ['rev-parse', '--verify', '--quiet', 'HEAD'], { allowFailure: true }),
    await run(top, ['ls-files', '--stage']),
    await run(top, ['rev-parse', '--verify', '--quiet', 'refs/stash'], { allowFailure: true }),
    await run(top, ['status', '--porcelain', '--untracked-files=all']),
  ];
  return parts.join('\0');
}

/**
 * Applies a patch to the tree of `root`: whole, or not at all.
 *
 * @throws RlmError `conflict` when the tree has changed where the patch does
 */
export async function applyPatch(root: string, patch: string, branch: string): Promise<void> {
  const given = ['--whitespace=nowarn', patch];
  try {
    await run(root, ['apply', '--check', ...given]);
  } catch (error) {
    if (!(error instanceof RlmError) || error.code !== 'unavailable') throw error;
    throw new RlmError('conflict', `the patch does not apply: ${error.message}`, {
      hint: `The tree has changed since the run began, or the patch was applied already. The result is also on branch ${branch}.`,
    });
  }
  await run(root, ['apply', ...given]);
}
