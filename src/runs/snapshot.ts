import { createHash } from 'node:crypto';
import {
  chmodSync,
  constants,
  createReadStream,
  type Dirent,
  lstatSync,
  readdirSync,
  utimesSync,
} from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { ArchivedFile } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';
import { ensureDirectory } from '../files/index.ts';

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
 * Copies the files of a tree and hashes the copies. The kernel copies (sharing blocks where the file system can),
 * so no byte passes through this process but for the hash. Copies are read-only and keep their times.
 *
 * @throws RlmError `conflict` when a file changes while it is copied
 */
export async function copyTree(from: string, to: string, tree: Tree): Promise<ArchivedFile[]> {
  ensureDirectory(to);
  for (const path of tree.directories) ensureDirectory(join(to, path));
  const limit = pLimit(PARALLEL);
  return Promise.all(tree.files.map((path) => limit(() => copyOne(from, to, path))));
}

async function copyOne(from: string, to: string, path: string): Promise<ArchivedFile> {
  const source = join(from, path);
  const target = join(to, path);
  const before = lstatSync(source);
  await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  const { sha256, size } = await hashFile(target);
  const after = lstatSync(source);
  if (after.size !== before.size || after.mtimeMs !== before.mtimeMs || size !== before.size) {
    throw new RlmError('conflict', `${source} changed while it was archived`, {
      hint: 'Wait until nothing writes to the run, and archive it again.',
      retryable: true,
    });
  }
  utimesSync(target, before.atime, before.mtime);
  chmodSync(target, READ_ONLY);
  return { path, size_bytes: size, sha256 };
}

async function hashFile(path: string): Promise<{ sha256: string; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const bytes: Buffer = chunk;
    hash.update(bytes);
    size += bytes.length;
  }
  return { sha256: hash.digest('hex'), size };
}

/** Whether a copy still is what its source is: same size and time of change, which `copyTree` keeps. */
export function sameFile(source: string, copy: string): boolean {
  const a = lstatSync(source, { throwIfNoEntry: false });
  const b = lstatSync(copy, { throwIfNoEntry: false });
  // Times are set in whole milliseconds.
  return a !== undefined && b !== undefined && a.size === b.size && Math.abs(a.mtimeMs - b.mtimeMs) < 2;
}
