import { z } from 'zod';
import { type Failure, NO_USAGE, type Usage } from '../../contracts/index.ts';
import { messageOf } from '../../errors.ts';
import { JsonlAppender } from '../../files/index.ts';
import type { WorkRequest } from '../worker.ts';
import type { AppServerProcess } from './app-server-process.ts';
import { failureOfMessage, failureOfTurn } from './output.ts';

/** From `turn/interrupt` to the end of the turn; measured: 30 ms. After that we stop waiting for it. */
const INTERRUPT_TIMEOUT_MS = 2000;

interface TurnResult {
  answer?: string;
  failure?: Failure;
  usage: Usage;
  model: string | null;
  /** It would not be interrupted: the process behind it should not get more to do. */
  stuck: boolean;
}

const ThreadStarted = z.object({ thread: z.object({ id: z.string() }), model: z.string().nullish() });
const TurnStarted = z.object({ turn: z.object({ id: z.string() }) });
const ItemCompleted = z.object({
  item: z.looseObject({ id: z.string().optional(), type: z.string(), text: z.string().optional() }),
});
const tokens = z.int().nonnegative().catch(0);
const TokenUsage = z.object({
  tokenUsage: z.object({
    total: z.object({
      inputTokens: tokens,
      cachedInputTokens: tokens,
      outputTokens: tokens,
      reasoningOutputTokens: tokens,
    }),
  }),
});
const TurnCompleted = z.object({
  turn: z.object({
    status: z.string(),
    error: z.object({ message: z.string(), codexErrorInfo: z.unknown().optional() }).nullish(),
  }),
});

/** Node takes a longer timer for one of 1 ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** One request as an ephemeral thread with one turn. Never rejects. */
export async function runTurn(server: AppServerProcess, request: WorkRequest): Promise<TurnResult> {
  const turn = new Turn(server, request);
  try {
    return await turn.run();
  } finally {
    turn.dispose();
  }
}

class Turn {
  readonly #server: AppServerProcess;
  readonly #request: WorkRequest;
  readonly #log: JsonlAppender;
  readonly #ended: Promise<Failure | undefined>;
  #end: (failure: Failure | undefined) => void = () => {};
  #threadId: string | undefined;
  #turnId: string | undefined;
  #answer: string | undefined;
  #usage: Usage = NO_USAGE;
  #model: string | null;
  /** Why we stopped it, which beats whatever the interrupted turn says of itself. */
  #stopped: Failure | undefined;
  #stuck = false;
  #disposed = false;
  #unlisten = () => {};
  readonly #timers = new Map<'wall' | 'idle' | 'interrupt', NodeJS.Timeout>();
  readonly #onAbort = () => this.#stop({ class: 'cancelled', message: 'the codex turn was cancelled' });

  constructor(server: AppServerProcess, request: WorkRequest) {
    this.#server = server;
    this.#request = request;
    this.#model = request.model;
    this.#log = new JsonlAppender(request.logPath);
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async run(): Promise<TurnResult> {
    const { timeoutMs, signal } = this.#request;
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
    this.#timer('wall', timeoutMs, () =>
      this.#stop({ class: 'timeout', message: `the codex turn reached its limit of ${timeoutMs} ms` }),
    );
    this.#touch();
    this.#start().catch((error: unknown) => this.#fail(error));
    const ended = await this.#ended;
    const failure = this.#stopped ?? ended;
    const common = { usage: this.#usage, model: this.#model, stuck: this.#stuck };
    if (failure !== undefined) return { ...common, failure };
    if (this.#answer !== undefined) return { ...common, answer: this.#answer };
    return {
      ...common,
      failure: { class: 'invalid_output', message: 'codex completed its turn without a message' },
    };
  }

  dispose(): void {
    this.#disposed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#request.signal.removeEventListener('abort', this.#onAbort);
    this.#unlisten();
    this.#log.close();
  }

  async #start(): Promise<void> {
    const request = this.#request;
    const thread = ThreadStarted.parse(
      await this.#server.request('thread/start', {
        ephemeral: true,
        cwd: request.cwd,
        sandbox: 'read-only',
        approvalPolicy: 'never',
        baseInstructions: request.instructions,
        ...(request.model === null ? {} : { model: request.model }),
      }),
    );
    if (this.#stopped !== undefined) {
      this.#end(undefined);
      return;
    }
    this.#threadId = thread.thread.id;
    this.#model = thread.model ?? this.#model;
    this.#unlisten = this.#server.listen(
      thread.thread.id,
      (method, params) => this.#take(method, params),
      (error) => this.#fail(error),
    );
    this.#record({ type: 'thread.started', thread_id: thread.thread.id });
    const started = TurnStarted.parse(
      await this.#server.request('turn/start', {
        threadId: thread.thread.id,
        input: [{ type: 'text', text: request.input }],
        ...(request.schema === undefined ? {} : { outputSchema: request.schema.value }),
        ...(request.effort === null ? {} : { effort: request.effort }),
      }),
    );
    this.#turnId = started.turn.id;
    if (this.#stopped !== undefined) this.#interrupt();
  }

  #take(method: string, params: Record<string, unknown>): void {
    this.#touch();
    switch (method) {
      case 'turn/started':
        this.#record({ type: 'turn.started' });
        return;
      case 'item/completed':
        this.#item(params);
        return;
      case 'thread/tokenUsage/updated':
        this.#count(params);
        return;
      case 'error':
      case 'warning':
        // A transient error, or the cause that `turn/completed` will repeat.
        this.#record({
          type: 'item.completed',
          item: { type: 'error', notification: method, ...params },
        });
        return;
      case 'turn/completed':
        this.#complete(params);
        return;
      default:
    }
  }

  #item(params: Record<string, unknown>): void {
    const { data } = ItemCompleted.safeParse(params);
    if (data === undefined || data.item.type === 'userMessage') return;
    const { id, type, text } = data.item;
    if (type === 'agentMessage') this.#answer = text ?? '';
    const name = type.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    this.#record({ type: 'item.completed', item: { id, type: name, text } });
  }

  #count(params: Record<string, unknown>): void {
    const total = TokenUsage.safeParse(params).data?.tokenUsage.total;
    if (total === undefined) return;
    this.#usage = {
      input_tokens: total.inputTokens,
      cached_input_tokens: total.cachedInputTokens,
      output_tokens: total.outputTokens,
      reasoning_output_tokens: total.reasoningOutputTokens,
    };
  }

  #complete(params: Record<string, unknown>): void {
    const turn = TurnCompleted.safeParse(params).data?.turn;
    if (turn?.status === 'completed') {
      this.#record({ type: 'turn.completed', usage: this.#usage });
      this.#end(undefined);
      return;
    }
    const message = turn?.error?.message ?? `the turn ended as '${turn?.status ?? 'unknown'}'`;
    this.#record({ type: 'turn.failed', error: turn?.error ?? { message } });
    this.#end(failureOfTurn(turn?.error?.codexErrorInfo, message));
  }

  /** A request that the server refused, or a server that is gone. It may come after the turn was given up. */
  #fail(error: unknown): void {
    const message = messageOf(error);
    this.#record({ type: 'turn.failed', error: { message } });
    this.#end(this.#server.gone ? { class: 'crashed', message } : failureOfMessage(message));
  }

  #record(event: Record<string, unknown>): void {
    if (this.#disposed) return;
    try {
      this.#log.append(event);
    } catch (error) {
      // A full disk must fail this job, not the process that serves all of them.
      const message = `cannot write ${this.#request.logPath}: ${messageOf(error)}`;
      this.#end({ class: 'crashed', message });
    }
  }

  #stop(why: Failure): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = why;
    this.#timer('interrupt', INTERRUPT_TIMEOUT_MS, () => {
      this.#stuck = true;
      this.#end(undefined);
    });
    this.#interrupt();
  }

  /** Ends this turn and no other. Before the turn has an id it is done by `#start`. */
  #interrupt(): void {
    if (this.#threadId === undefined || this.#turnId === undefined) return;
    this.#server
      .request('turn/interrupt', { threadId: this.#threadId, turnId: this.#turnId })
      // Already over, or the server is gone: either way the end comes by its own way.
      .catch(() => {});
  }

  /** Any sign of life of the thread starts the silence limit anew. */
  #touch(): void {
    const { idleTimeoutMs } = this.#request;
    this.#timer('idle', idleTimeoutMs, () =>
      this.#stop({ class: 'timeout', message: `the codex turn was silent for ${idleTimeoutMs} ms` }),
    );
  }

  #timer(name: 'wall' | 'idle' | 'interrupt', ms: number, action: () => void): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(action, Math.min(ms, MAX_TIMER_MS)));
  }
}
