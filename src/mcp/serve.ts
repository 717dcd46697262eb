import { existsSync, type FSWatcher, watch } from 'node:fs';
import { Transform } from 'node:stream';
import { parseArgs } from 'node:util';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { runsDirectory, stateDirectory } from '../contracts/index.ts';
import { messageOf } from '../errors.ts';
import { LineSplitter } from '../files/index.ts';
import { findRoot } from '../tools/index.ts';
import { logError } from './errors.ts';
import { createServer } from './server.ts';

/** The longest message that is read, bytes: the cap of every other line of JSON here. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** More requests are read only below so many that are being answered, and so many bytes of answers that nobody has read. */
const MAX_PENDING = 500;
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;
/** How often it is looked whether they are fewer, milliseconds. */
const LOOK_MS = 20;
/** How long a shutdown lets calls that are under way answer, milliseconds. */
const GRACE_MS = 500;

/**
 * `rlm mcp`: serves MCP on stdin and stdout until the client goes or a signal comes, then ends within a
 * second. Runs in the background are processes of their own and go on.
 *
 * Codex sends SIGTERM and, 25 ms later, SIGKILL; others close stdin and wait; a terminal sends SIGHUP: all of
 * them must end the server, or it stays behind as an orphan.
 */
export async function serve(argv: string[]): Promise<void> {
  let root: string;
  try {
    const { values } = parseArgs({ args: argv, options: { root: { type: 'string' } } });
    root = findRoot(values.root);
  } catch (error) {
    process.stderr.write(`error: ${messageOf(error)}\n`);
    process.exitCode = 1;
    return;
  }

  // The answers that a shutdown waits for.
  const pending = new Set<Promise<unknown>>();
  const track = <T>(work: Promise<T>): Promise<T> => {
    pending.add(work);
    return work.finally(() => pending.delete(work));
  };
  const server = createServer(root, track);
  let unwatch = () => {};
  let ending = false;
  /** @param graceMs for calls under way: a client that closed stdin may still read their answers */
  const end = async (graceMs: number) => {
    if (ending) return;
    ending = true;
    unwatch();
    const timer = setTimeout(() => process.exit(0), graceMs);
    // The last request may have come with the end of stdin: let its handler start first.
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.allSettled(pending);
    // What was answered is not yet read: a pipe holds 64 kB, and an exit would lose the rest.
    await new Promise((resolve) => setImmediate(() => process.stdout.write('', resolve)));
    clearTimeout(timer);
    process.exit(0);
  };

  const onError = (error: Error) => logError(error, 'protocol error');
  server.onerror = onError;
  server.onclose = () => void end(0);
  server.oninitialized = () => {
    unwatch = watchRuns(root, () => {
      server.sendResourceListChanged().catch((error) => logError(error, 'list_changed was not sent'));
    });
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0));
  const { transport, input } = stdioTransport(onError, () => pending.size);
  input.on('end', () => void end(GRACE_MS));
  process.stdin.on('close', () => void end(GRACE_MS));
  input.on('error', onError);
  process.stdin.on('error', () => void end(GRACE_MS));
  // Nothing that goes wrong in one call may end the others: what no handler caught is logged.
  process.on('uncaughtException', (error) => logError(error, 'uncaught'));
  process.on('unhandledRejection', (error) => logError(error, 'unhandled'));
  // The client is gone: nobody is left to answer.
  process.stdout.on('error', () => process.exit(0));
  await server.connect(transport);
}

/**
 * The SDK's transport on stdin and stdout, given whole lines. By itself it ends the session at a message of 10 MiB,
 * copies a long one once for each piece that arrives, and takes an empty line for a fault.
 *
 * A client that sends and never reads is not read either: its answers would fill the memory.
 *
 * @param onError called for a message that is too long, which is skipped
 * @param pending how many requests are being answered
 */
function stdioTransport(
  onError: (error: Error) => void,
  pending: () => number,
): {
  transport: StdioServerTransport;
  input: Transform;
} {
  const lines = new LineSplitter(MAX_MESSAGE_BYTES, onError);
  const input = new Transform({
    transform(bytes: Buffer, _encoding, done) {
      for (const line of lines.push(bytes)) if (line.trim() !== '') this.push(`${line}\n`);
      const goOn = () => {
        if (process.stdout.writableLength < MAX_UNREAD_BYTES && pending() < MAX_PENDING) done();
        else setTimeout(goOn, LOOK_MS);
      };
      // The requests of these lines are counted once their handlers have started.
      setImmediate(goOn);
    },
  });
  process.stdin.pipe(input);
  // Every answer that waits for a slow reader listens for it: as many as there are calls.
  process.stdout.setMaxListeners(0);
  const options = { maxBufferSize: 2 * MAX_MESSAGE_BYTES };
  return { transport: new StdioServerTransport(input, process.stdout, options), input };
}

/** Changes within this time are announced once, milliseconds. */
const QUIET_MS = 200;

/**
 * Calls `onChange` when runs appear or go. Before the first run there is no directory to watch: then the
 * nearest one above it is, until it appears.
 *
 * @returns a function that ends the watch
 */
function watchRuns(root: string, onChange: () => void): () => void {
  const candidates = [runsDirectory(root), stateDirectory(root), root];
  let watcher: FSWatcher | undefined;
  let watched: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;

  const follow = () => {
    const target = candidates.find((directory) => existsSync(directory));
    if (ended || target === undefined || target === watched) return;
    watcher?.close();
    try {
      watcher = watch(target, { persistent: false }, onEvent);
    } catch {
      // It went in this moment, or the system has no watch left: the list is read anew when a client asks.
      watched = undefined;
      return;
    }
    watched = target;
    watcher.on('error', lose);
    // It may have appeared between the look and the watch.
    follow();
  };
  const lose = () => {
    watcher?.close();
    watched = undefined;
  };
  const onEvent = () => {
    const before = watched;
    if (watched !== undefined && !existsSync(watched)) lose();
    follow();
    // In the root or in .rlm/ other things change too; only the appearance of what we look for counts.
    if (watched === candidates[0] || before !== watched) announce();
  };
  const announce = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (!ended) onChange();
    }, QUIET_MS).unref();
  };

  follow();
  return () => {
    ended = true;
    clearTimeout(timer);
    watcher?.close();
  };
}
