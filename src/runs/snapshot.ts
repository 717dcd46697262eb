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
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import { z } from 'zod';
import type { ArchivedFile } from '../contracts/index.ts';
import { RlmError, systemCode } from '../errors.ts';
import { ensureDirectory, type FileHash, hashFile } from '../files/index.ts';

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

/** Walks a tree without following symlinks; `skip` excludes an entry and everything below it. */
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

/** Threads at most: beyond these it is the disk that is waited for. */
const MAX_THREADS = 4;
/** Below this a thread takes longer to start than it saves, in bytes. */
const WORTH_A_THREAD = 32 * 1024 * 1024;

const Reply = z.union([
  z.object({ sha256: z.string(), size: z.int() }),
  z.object({ code: z.string(), message: z.string() }),
]);

/** Hashes files on as many threads as are worth it; close it when done. */
interface FileHasher {
  /** @throws the system's error when the file cannot be read */
  hash(path: string): Promise<FileHash>;
  close(): Promise<void>;
}

/**
 * Without instructions for it in the processor, sha256 is several times as slow as copying: a gigabyte is hashed on
 * all cores, and the process stays free for others meanwhile.
 *
 * @param bytes about how much there is to hash
 */
function openHasher(bytes: number): FileHasher {
  const count = Math.min(MAX_THREADS, availableParallelism(), Math.floor(bytes / WORTH_A_THREAD));
  if (count === 0) return { hash: async (path) => hashFile(path), close: async () => {} };
  const threads = Array.from({ length: count }, startThread);
  const idle = [...threads];
  const limit = pLimit(count);
  return {
    hash: (path) =>
      limit(async () => {
        const thread = idle.pop();
        if (thread === undefined) throw new RlmError('internal', 'no thread is free to hash');
        try {
          return await ask(thread, path);
        } finally {
          idle.push(thread);
        }
      }),
    async close() {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}

function ask(thread: Worker, path: string): Promise<FileHash> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      thread.off('message', onMessage);
      thread.off('error', onError);
      act();
    };
    const onError = (error: unknown) => settle(() => reject(error));
    const onMessage = (message: unknown) =>
      settle(() => {
        const reply = Reply.parse(message);
        if ('sha256' in reply) resolve(reply);
        else reject(Object.assign(new Error(reply.message), { code: reply.code }));
      });
    thread.once('message', onMessage);
    thread.once('error', onError);
    thread.postMessage(path);
  });
}

function startThread(): Worker {
  const thread = new Worker(`(${answerRequests.toString()})(${hashFile.toString()})`, { eval: true });
  thread.unref();
  return thread;
}

/** The body of a thread. It is handed over as text, as `hashFile` is: neither may use anything of this module. */
function answerRequests(hash: typeof hashFile): void {
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  parentPort?.on('message', (path: string) => {
    try {
      parentPort.postMessage(hash(path));
    } catch (error) {
      const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
      parentPort.postMessage({ code: String(code), message: String(error) });
    }
  });
}
