import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { RlmError } from '../../errors.ts';
import { type Session, startSession } from '../../processes/index.ts';
import { readTail } from '../call.ts';
import { leanArguments } from './arguments.ts';
import { type CodexSetup, codexEnvironment, isolationArguments } from './setup.ts';

/** A message of the app-server is at most an answer with its envelope; a longer line ends the process. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
/** From the start to the answer of `initialize`; measured: 0.1 s. */
const START_TIMEOUT_MS = 30_000;

const Message = z.object({
  id: z.union([z.int(), z.string()]).optional(),
  method: z.string().optional(),
  params: z.looseObject({ threadId: z.string().optional() }).optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});

/** A notification of one thread. */
type ThreadListener = (method: string, params: Record<string, unknown>) => void;

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/**
 * One `codex app-server`: JSON-RPC over its stdin and stdout. It outlives no parent: it leaves at the end of
 * its stdin.
 */
export class AppServerProcess {
  /** Threads started so far: its memory grows by about 0.85 MB each and never shrinks. */
  threads = 0;
  /** Jobs that it has not finished yet. */
  active = 0;
  /** Takes no new jobs, and ends with its last one. */
  retired = false;
  gone = false;
  readonly #session: Session;
  readonly #directory: string;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<string, { onNotification: ThreadListener; onGone(error: Error): void }>();
  #lastId = 0;

  private constructor(setup: CodexSetup, marks: Record<string, string>, isolated: string[]) {
    this.#directory = mkdtempSync(join(tmpdir(), 'rlm-app-server-'));
    this.#session = startSession({
      file: setup.binary.file,
      args: ['app-server', ...leanArguments(setup.capabilities, false), ...setup.home.arguments, ...isolated],
      cwd: setup.cwd,
      env: codexEnvironment(setup, marks),
      stderrPath: join(this.#directory, 'stderr'),
      maxLineBytes: MAX_LINE_BYTES,
      onLine: (line) => this.#take(line),
    });
    void this.#session.ended.then((end) => {
      const how =
        end.startError !== undefined
          ? `cannot be started: ${end.startError.message}`
          : `ended (${end.killedBy ?? `exit code ${end.exitCode}`}) ${readTail(join(this.#directory, 'stderr'))}`;
      this.#leave(new RlmError('unavailable', `codex app-server ${how.trim()}`));
    });
  }

  /**
   * Starts one and shakes hands.
   *
   * @param marks go into its environment, for a later sweep
   * @throws RlmError `unavailable` when it ends or stays silent instead
   */
  static async start(setup: CodexSetup, marks: Record<string, string>): Promise<AppServerProcess> {
    const server = new AppServerProcess(setup, marks, await isolationArguments(setup, setup.cwd));
    const timer = setTimeout(() => void server.close(), START_TIMEOUT_MS);
    try {
      await server.request('initialize', { clientInfo: { name: 'rlm-mcp', title: 'rlm', version: '1' } });
      await server.#session.send(JSON.stringify({ method: 'initialized' }));
      return server;
    } catch (error) {
      await server.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Calls a method. Rejects with what the server says, or once it is gone. */
  request(method: string, params?: Record<string, unknown>): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.gone) return reject(new RlmError('unavailable', 'codex app-server has ended'));
      this.#pending.set(id, { resolve, reject });
      void this.#session.send(JSON.stringify({ id, method, params }));
    });
  }

  /** Hands over the notifications of a thread until the returned function is called. */
  listen(threadId: string, onNotification: ThreadListener, onGone: (error: Error) => void): () => void {
    this.#listeners.set(threadId, { onNotification, onGone });
    return () => this.#listeners.delete(threadId);
  }

  async close(): Promise<void> {
    this.retired = true;
    await this.#session.close();
  }

  #take(line: string): void {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return;
    }
    const { data: message } = Message.safeParse(value);
    if (message === undefined) return;
    const { id, method, params } = message;
    if (method === undefined) this.#settle(message);
    else if (id !== undefined) this.#deny(id, method);
    else if (params?.threadId !== undefined) {
      this.#listeners.get(params.threadId)?.onNotification(method, params);
    }
  }

  #settle(message: z.infer<typeof Message>): void {
    if (typeof message.id !== 'number') return;
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.error !== undefined) pending?.reject(new Error(message.error.message));
    else pending?.resolve(message.result);
  }

  /** Whatever it asks, nobody is there to approve: an unanswered request would hold its turn for ever. */
  #deny(id: number | string, method: string): void {
    const decision = DENIALS[method];
    const reply =
      decision === undefined
        ? { id, error: { code: -32601, message: `${method} is not available to workers` } }
        : { id, result: { decision } };
    void this.#session.send(JSON.stringify(reply));
  }

  #leave(error: Error): void {
    this.gone = true;
    this.retired = true;
    rmSync(this.#directory, { recursive: true, force: true });
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    for (const listener of this.#listeners.values()) listener.onGone(error);
    this.#listeners.clear();
  }
}

const DENIALS: Readonly<Record<string, string>> = {
  'item/commandExecution/requestApproval': 'decline',
  'item/fileChange/requestApproval': 'decline',
  applyPatchApproval: 'denied',
  execCommandApproval: 'denied',
};
