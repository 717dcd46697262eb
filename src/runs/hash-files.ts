import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import { z } from 'zod';
import { RlmError } from '../errors.ts';
import { type FileHash, hashFile } from '../files/index.ts';

/** Threads at most: beyond these it is the disk that is waited for. */
const MAX_THREADS = 4;
/** Below this a thread takes longer to start than it saves, in bytes. */
const WORTH_A_THREAD = 32 * 1024 * 1024;

const Reply = z.union([
  z.object({ sha256: z.string(), size: z.int() }),
  z.object({ code: z.string(), message: z.string() }),
]);

/** Hashes files on as many threads as are worth it; close it when done. */
export interface FileHasher {
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
export function openHasher(bytes: number): FileHasher {
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
