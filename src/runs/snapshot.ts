import {
  chmodSync,
  constants,
  type Dirent,
  existsSync,
  linkSync,
  lstatSync,
  readdirSync,
  utimesSync,
} from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { ArchivedFile } from '../contracts/index.ts';
import { RlmError, systemCode } from '../errors.ts';
import { ensureDirectory } from '../files/index.ts';
import { type FileHasher, openHasher } from './hash-files.ts';

/** Copies at a time: enough to keep the disk busy while a hash is computed. */
const PARALLEL = 4;
const READ_ONLY = 0o400;

/** What lies in a directory tree, paths relative to it, in order. */
export interface Tree {
  files: string[];
  directories: string[];
  /** Neither files nor directories: symlinks, sockets. */
  others: string[];
}

/** Walks a tree without following symlinks; `skip` leaves out an entry and everything below it. */
export function walkTree(directory: string, skip: (path: string, name: string) => boolean): Tree {
  const tree: Tree = { files: [], directories: [], others: [] };
  const walk = (prefix: string) => {
    const entries: Dirent[] = readdirSync(join(directory, prefix), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
      if (skip(path, entry.name)) continue;
      if (entry.isFile()) tree.files.push(path);
      else if (entry.isDirectory()) {
        tree.directories.push(path);
        walk(path);
      } else tree.others.push(path);
    }
  };
  walk('');
  return tree;
}

/**
 * Puts the files of a tree under `to` and hashes them. A file that the source will give up is linked, not copied:
 * an archive of gigabytes then costs one read. The others are copied by the kernel, with their times, read-only.
 * Linked files become read-only with `seal`, once the source has given them up.
 *
 * @param givenUp whether the source will not keep the file
 * @throws RlmError `conflict` when a file changes meanwhile
 */
export async function snapshotTree(
  from: string,
  to: string,
  tree: Tree,
  givenUp: (path: string) => boolean,
): Promise<ArchivedFile[]> {
  ensureDirectory(to);
  for (const path of tree.directories) ensureDirectory(join(to, path));
  const limit = pLimit(PARALLEL);
  const hasher = openHasher(tree.files.reduce((sum, path) => sum + lstatSync(join(from, path)).size, 0));
  try {
    return await Promise.all(
      tree.files.map((path) => limit(() => snapshotOne(from, to, path, givenUp(path), hasher))),
    );
  } finally {
    await hasher.close();
  }
}

async function snapshotOne(
  from: string,
  to: string,
  path: string,
  givenUp: boolean,
  hasher: FileHasher,
): Promise<ArchivedFile> {
  const source = join(from, path);
  const target = join(to, path);
  const before = lstatSync(source);
  const linked = givenUp && tryLink(source, target);
  if (!linked) await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  const { sha256, size } = await hasher.hash(target);
  const after = lstatSync(source);
  if (after.size !== before.size || after.mtimeMs !== before.mtimeMs || size !== before.size) {
    throw new RlmError('conflict', `${source} changed while it was archived`, {
      hint: 'Wait until nothing writes to the run, and archive it again.',
      retryable: true,
    });
  }
  if (!linked) {
    utimesSync(target, before.atime, before.mtime);
    seal(target);
  }
  return { path, size_bytes: size, sha256 };
}

/** Not every file system has hard links. */
function tryLink(source: string, target: string): boolean {
  try {
    linkSync(source, target);
    return true;
  } catch (error) {
    if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EXDEV', 'ENOSYS'].includes(systemCode(error) ?? ''))
      return false;
    throw error;
  }
}

/** Makes a file of a snapshot read-only. */
export function seal(path: string): void {
  chmodSync(path, READ_ONLY);
}

/** Whether a snapshot still holds what was hashed when it was made. */
export async function holdsWhatItSays(directory: string, files: readonly ArchivedFile[]): Promise<boolean> {
  if (!files.every(({ path }) => existsSync(join(directory, path)))) return false;
  const hasher = openHasher(files.reduce((sum, file) => sum + file.size_bytes, 0));
  try {
    const hashes = await Promise.all(files.map(({ path }) => hasher.hash(join(directory, path))));
    return files.every(({ sha256 }, at) => hashes[at]?.sha256 === sha256);
  } finally {
    await hasher.close();
  }
}

/** Whether a copy still is what its source is: same size and time of change, which a copy keeps. */
export function sameFile(source: string, copy: string): boolean {
  const a = lstatSync(source, { throwIfNoEntry: false });
  const b = lstatSync(copy, { throwIfNoEntry: false });
  // Times are set in whole milliseconds.
  return a !== undefined && b !== undefined && a.size === b.size && Math.abs(a.mtimeMs - b.mtimeMs) < 2;
}
