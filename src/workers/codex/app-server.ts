import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import { resultOfCall } from '../call.ts';
import { timeOfEpoch } from '../retry-after.ts';
import type { QuotaReading, WorkRequest, WorkResult } from '../worker.ts';
import { AppServerProcess } from './app-server-process.ts';
import { failureOfMessage } from './output.ts';
import type { CodexSetup } from './setup.ts';
import { runTurn } from './turn.ts';

/**
 * Threads a process serves before a fresh one takes over. Measured: 120 MB at the start and 0.85 MB more a thread
 * with a small prompt, so that an old process and its successor together stay well under 500 MB.
 */
const DEFAULT_THREAD_LIMIT = 150;
/** The successor is started so many threads before the limit, so that no job waits for it. */
const AHEAD = 10;

/**
 * Answers requests as threads of one long-lived `codex app-server`: about 2.5 times the rate of a process a
 * job. A process that has served its share, or died, is replaced; jobs of a dead one fail as `crashed`.
 */
export class AppServerLane {
  readonly #setup: CodexSetup;
  readonly #marks: Record<string, string>;
  readonly #threadLimit: number;
  readonly #servers = new Set<AppServerProcess>();
  #current: Promise<AppServerProcess> | undefined;
  #next: Promise<AppServerProcess> | undefined;
  #closed = false;

  constructor(setup: CodexSetup, marks: Record<string, string>, threadLimit = DEFAULT_THREAD_LIMIT) {
    this.#setup = setup;
    this.#marks = marks;
    this.#threadLimit = threadLimit;
  }

  /** Never rejects. */
  run(request: WorkRequest): Promise<WorkResult> {
    return resultOfCall('codex app-server', request, async () => {
      if (this.#closed || request.signal.aborted) {
        return { failure: { class: 'cancelled', message: 'the codex turn was cancelled' } };
      }
      let server: AppServerProcess;
      try {
        server = await this.#take();
      } catch (error) {
        return { failure: failureOfMessage(messageOf(error)) };
      }
      try {
        const { stuck, ...turn } = await runTurn(server, request);
        if (stuck) server.retired = true;
        return turn;
      } finally {
        server.active -= 1;
        this.#endIfDrained(server);
      }
    });
  }

  /** What is left of the account's allowance; undefined for a login that has none, such as an API key. */
  async quota(): Promise<QuotaReading | undefined> {
    try {
      const server = await this.#take({ thread: false });
      try {
        return readingOf(await server.request('account/rateLimits/read'));
      } finally {
        server.active -= 1;
        this.#endIfDrained(server);
      }
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    // One that is just starting is in no set yet.
    await Promise.allSettled([this.#current, this.#next]);
    await Promise.all([...this.#servers].map((server) => server.close()));
  }

  /** The process that takes the next job, already counted as its. */
  async #take(use: { thread: boolean } = { thread: true }): Promise<AppServerProcess> {
    for (;;) {
      this.#current ??= this.#launch();
      const launched = this.#current;
      let server: AppServerProcess;
      try {
        server = await launched;
      } catch (error) {
        if (this.#current === launched) this.#current = undefined;
        throw error;
      }
      if (server.retired || (use.thread && server.threads >= this.#threadLimit)) {
        this.#replace(launched);
        server.retired = true;
        this.#endIfDrained(server);
        continue;
      }
      server.active += 1;
      if (use.thread) server.threads += 1;
      if (server.threads === Math.max(1, this.#threadLimit - AHEAD)) this.#prepareNext();
      return server;
    }
  }

  #replace(old: Promise<AppServerProcess>): void {
    if (this.#current !== old) return;
    this.#current = this.#next;
    this.#next = undefined;
  }

  #prepareNext(): void {
    if (this.#next !== undefined || this.#closed) return;
    this.#next = this.#launch();
    // Whoever takes it over sees the error; until then nobody may be waiting.
    this.#next.catch(() => {});
  }

  async #launch(): Promise<AppServerProcess> {
    const server = await AppServerProcess.start(this.#setup, this.#marks);
    this.#servers.add(server);
    return server;
  }

  #endIfDrained(server: AppServerProcess): void {
    if (!server.retired || server.active > 0) return;
    // It stays in the set until it is gone, so that `close` waits for it too.
    void server.close().then(() => this.#servers.delete(server));
  }
}

const Window = z.object({ usedPercent: z.number(), resetsAt: z.number().nullish() }).nullish();
const RateLimits = z.object({
  ordinaryUsageAllowed: z.boolean().nullish(),
  rateLimits: z.object({
    primary: Window,
    secondary: Window,
    rateLimitReachedType: z.unknown(),
    spendControlReached: z.boolean().nullish(),
  }),
});

/** The fullest window decides. `resetsAt` comes as epoch seconds. */
function readingOf(value: unknown): QuotaReading | undefined {
  const { data } = RateLimits.safeParse(value);
  if (data === undefined) return undefined;
  const { primary, secondary, rateLimitReachedType, spendControlReached } = data.rateLimits;
  const windows = [primary, secondary].filter((window) => window !== null && window !== undefined);
  const fullest = windows.sort((a, b) => b.usedPercent - a.usedPercent)[0];
  if (fullest === undefined) return undefined;
  return {
    usedPercent: fullest.usedPercent,
    resetsAt: typeof fullest.resetsAt === 'number' ? timeOfEpoch(fullest.resetsAt)?.toISOString() : undefined,
    exhausted:
      fullest.usedPercent >= 100 ||
      data.ordinaryUsageAllowed === false ||
      spendControlReached === true ||
      typeof rateLimitReachedType === 'string',
  };
}
