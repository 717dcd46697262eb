import { existsSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import pLimit from 'p-limit';
import { type FailureClass, NO_USAGE, type ResultRecord, type Usage } from '../contracts/index.ts';
import { messageOf, RlmError, systemCode } from '../errors.ts';
import { fileMark, hashFile, syncFile } from '../files/index.ts';
import type { Worker } from '../workers/index.ts';
import type { Assignment, PreparedAssignment } from './assignment.ts';
import { type AttemptLoop, type AttemptsEnd, runAttempts } from './attempts.ts';
import type { BudgetLedger } from './budget.ts';
import { AnswerCache } from './cache.ts';
import { type History, type Journal, ResultReader } from './journal.ts';
import { AdaptiveConcurrency, type RetryLimits, type Stop } from './policy.ts';

interface DispatchOptions {
  journal: Journal;
  /** The journal's file, for reading earlier results back. */
  journalPath: string;
  history: History;
  worker: Worker;
  /** Calls at a time, at most. */
  parallel: number;
  /** Called once, with what raises `parallel` while the engine runs. */
  onStart?: (raise: (to: number) => void) => void;
  retry: RetryLimits;
  idleTimeoutMs: number;
  budget: BudgetLedger;
  priceOf: AttemptLoop['priceOf'];
  /** Undefined for a run without cache. */
  cache: AnswerCache | undefined;
  runDir: string;
  /** Environment marks of every worker process. */
  marks: Record<string, string>;
  /** Ends everything at once. */
  signal: AbortSignal;
  random?: () => number;
}

/**
 * The engine: assignments in, results (in the journal) out. Everything that runs a worker goes through here.
 *
 * Assignments are pulled from the source only as slots come free, so a million of them need no memory. Each
 * ends as one `result` event, or as none when it was not launched because of a stop: those are left for
 * `resume`. An assignment whose accepted result of an earlier driver is still valid is skipped.
 *
 * @returns why it stopped early, or undefined when every assignment has its result
 */
export async function dispatch(
  source: AsyncIterable<Assignment> | Iterable<Assignment>,
  options: DispatchOptions,
): Promise<Stop | undefined> {
  const usedUp = await readUsedUpQuota(options.worker);
  if (usedUp !== undefined) return usedUp;
  const earlier = new ResultReader(options.journalPath);
  try {
    return await new Dispatch(options, earlier).run(source);
  } finally {
    earlier.close();
  }
}

/** The stop that a used-up allowance means, asked before anything is launched. */
async function readUsedUpQuota(worker: Worker): Promise<Stop | undefined> {
  const quota = await worker.quota?.();
  if (quota === undefined || !quota.exhausted) return undefined;
  const message = `the account's allowance is used up (${quota.usedPercent} %)`;
  const resets = quota.resetsAt === undefined ? {} : { resets_at: quota.resetsAt };
  return { why: 'quota', failure: { class: 'quota', message, ...resets } };
}

/** One run of the engine over a source of assignments. */
class Dispatch {
  readonly #options: DispatchOptions;
  readonly #earlier: ResultReader;
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #loop: AttemptLoop;
  readonly #stopping = new AbortController();
  #stop: Stop | undefined;
  /** A fault of ours or of the disk, which ends the whole run. */
  #fault: unknown;
  /** Assignments that were begun and are not done: those under way, and those whose result is being written. */
  #open = 0;
  #wake: () => void = () => {};

  constructor(options: DispatchOptions, earlier: ResultReader) {
    this.#options = options;
    this.#earlier = earlier;
    this.#limit = pLimit(options.parallel);
    const concurrency = new AdaptiveConcurrency(options.parallel);
    this.#loop = {
      ...options,
      random: options.random ?? Math.random,
      stopped: () => this.#stopping.signal.aborted,
      stopSignal: this.#stopping.signal,
      onStop: (reason) => this.#end(reason),
      onTransientError: (failure, launchedAt) =>
        this.#setConcurrency(concurrency.faulted(launchedAt, performance.now()), failure.class),
      onSuccess: () => this.#setConcurrency(concurrency.succeeded(), 'good answers'),
    };
    options.onStart?.((to) => this.#setConcurrency(concurrency.raise(to), 'more at a time were asked for'));
  }

  async run(source: AsyncIterable<Assignment> | Iterable<Assignment>): Promise<Stop | undefined> {
    const { signal, history } = this.#options;
    const onAbort = () => this.#end();
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) this.#end();
    try {
      for await (const assignment of source) {
        if (this.#loop.stopped()) break;
        if (isUnchanged(assignment, this.#earlier, history)) {
          assignment.onDone?.();
          continue;
        }
        while (!this.#loop.stopped() && !this.#hasSlot()) await this.#change();
        if (this.#loop.stopped()) break;
        this.#launch(assignment);
      }
      while (this.#open > 0) await this.#change();
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    if (this.#fault !== undefined) throw this.#fault;
    if (signal.aborted) return { why: 'cancelled', failure: { class: 'cancelled', message: 'cancelled' } };
    return this.#stop;
  }

  #hasSlot(): boolean {
    const most = this.#options.budget.mustProbe ? 1 : this.#limit.concurrency;
    return this.#limit.activeCount + this.#limit.pendingCount < most;
  }

  #launch(assignment: Assignment): void {
    this.#open += 1;
    this.#limit(() => workOn(assignment, this.#loop, this.#earlier, this.#options.history))
      .then(async (commit) => {
        // Its slot is free: the next one is launched first.
        this.#wake();
        await nextTurn();
        await commit?.();
      })
      .catch((error: unknown) => {
        this.#fault ??= error;
        this.#end({ why: 'config', failure: { class: 'config', message: messageOf(error) } });
      })
      .then(() => {
        this.#open -= 1;
        assignment.onDone?.();
        this.#wake();
      });
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #end(reason?: Stop): void {
    this.#stop ??= reason;
    this.#stopping.abort();
    this.#wake();
  }

  #setConcurrency(to: number | undefined, reason: string): void {
    if (to === undefined) return;
    this.#options.journal.append({ type: 'concurrency', from: this.#limit.concurrency, to, reason });
    this.#limit.concurrency = to;
    this.#wake();
  }
}

/** Whether an earlier driver's accepted result is valid by the look of its inputs and output, as most are in a resume. */
function isUnchanged(assignment: Assignment, earlier: ResultReader, history: History): boolean {
  const previous = readAccepted(assignment.id, earlier, history);
  const path = assignment.outputPath ?? previous?.output_path;
  if (previous === undefined || path === undefined) return false;
  const { input_mark, output_mark } = previous;
  if (input_mark === undefined || output_mark === undefined) return false;
  return input_mark === assignment.inputMark?.() && output_mark === fileMark(path, { ours: true });
}

function readAccepted(id: string, earlier: ResultReader, history: History): ResultRecord | undefined {
  const offset = history.accepted.get(id);
  const previous = offset === undefined ? undefined : earlier.read(offset);
  return previous?.id === id ? previous : undefined;
}

/**
 * One assignment: skipped, answered from the cache, or worked on until it has a result.
 *
 * @returns what is left to do when its answer was accepted: to write the result
 */
async function workOn(
  assignment: Assignment,
  loop: AttemptLoop,
  earlier: ResultReader,
  history: History,
): Promise<(() => Promise<void>) | undefined> {
  const results = new Results(assignment, loop, history);
  let prepared: PreparedAssignment;
  try {
    prepared = await assignment.prepare();
  } catch (error) {
    if (!(error instanceof RlmError)) throw error;
    return results.fail({}, 'config', [error.message]);
  }
  const { key } = prepared;
  const previous = readAccepted(assignment.id, earlier, history);
  if (previous !== undefined) {
    const why = staleness(previous, key, assignment.outputPath ?? previous.output_path);
    if (why === undefined) return undefined;
    loop.journal.append({ type: 'stale', id: assignment.id, why });
  }

  const { model, effort } = prepared.call();
  const cacheKey = cacheKeyOf(prepared, loop, model, effort);
  const cached = cacheKey === undefined ? undefined : loop.cache?.get(cacheKey);
  if (cached !== undefined) {
    const acceptance = await prepared.accept(prepared.adopt?.(cached.text) ?? cached.text, Date.now());
    if (acceptance.ok) {
      const common = { model: cached.model, cache_hit: true, key };
      return async () => {
        await results.accept(common, acceptance, prepared, []);
      };
    }
  }

  const end = await runAttempts(assignment.id, prepared, results.before, loop);
  if (end === 'open') return undefined;
  const common = {
    attempts: end.attempts,
    usage: end.usage,
    cost_usd: end.costUsd,
    model: end.model,
    log_paths: end.logPaths,
    key,
  };
  const { acceptance } = end;
  if (acceptance === undefined) return results.fail(common, end.failure?.class ?? 'crashed', end.errors);
  return async () => {
    if ((await results.accept(common, acceptance, prepared, end.errors)) && cacheKey !== undefined) {
      loop.cache?.put(cacheKey, { text: acceptance.text, worker: loop.worker.name, model: common.model });
    }
  };
}

/** Undefined for an answer that may not be kept, or that no cache keeps. */
function cacheKeyOf(
  { cacheKey }: PreparedAssignment,
  { cache, worker }: AttemptLoop,
  model: string | null,
  effort: string | null,
): string | undefined {
  if (cache === undefined || worker.cacheIdentity === null || cacheKey === null) return undefined;
  return AnswerCache.key([cacheKey, worker.name, worker.cacheIdentity, model, effort]);
}

type CommonResult = Pick<
  ResultRecord,
  'id' | 'attempts' | 'usage' | 'cost_usd' | 'worker' | 'model' | 'cache_hit' | 'log_paths' | 'key'
>;
type Accepted = NonNullable<AttemptsEnd['acceptance']>;

/** Writes the result of one assignment. */
class Results {
  /** What its earlier attempts cost, before this driver. */
  readonly before: { attempts: number; usage: Usage; costUsd: number | null };
  readonly #id: string;
  readonly #loop: AttemptLoop;
  readonly #started = performance.now();
  /** Taken before anything is read: a change from now on shows. */
  readonly #inputMark: string | undefined;

  constructor(assignment: Assignment, loop: AttemptLoop, history: History) {
    const before = history.attempts.get(assignment.id);
    this.before = {
      attempts: before?.last ?? 0,
      usage: before?.usage ?? NO_USAGE,
      costUsd: before?.costUsd ?? null,
    };
    this.#id = assignment.id;
    this.#loop = loop;
    this.#inputMark = assignment.inputMark?.();
  }

  fail(common: Partial<CommonResult>, failure_class: FailureClass, errors: string[]): undefined {
    this.#append({ ...this.#common(common), status: 'failed', failure_class, errors });
  }

  /** @returns whether the result was written; an assignment whose output path is taken fails alone */
  async accept(
    common: Partial<CommonResult>,
    { text, detail }: Accepted,
    prepared: PreparedAssignment,
    errors: string[],
  ): Promise<boolean> {
    let output: ReturnType<PreparedAssignment['commit']>;
    try {
      output = prepared.commit(text);
      // Before the journal says that it is there. What costs nothing is made again instead.
      if (this.#loop.worker.name !== 'extractive' && common.cache_hit !== true) {
        await syncFile(output.output_path);
      }
    } catch (error) {
      const isForbidden = error instanceof RlmError && error.code === 'forbidden';
      if (!isForbidden && !PATH_TAKEN.has(systemCode(error) ?? '')) throw error;
      this.fail(common, 'config', [...errors, `the result cannot be written: ${messageOf(error)}`]);
      return false;
    }
    const input_mark = this.#inputMark;
    const output_mark = input_mark === undefined ? undefined : fileMark(output.output_path, { ours: true });
    this.#append({
      ...this.#common(common),
      ...output,
      ...(output_mark === undefined ? {} : { input_mark, output_mark }),
      status: 'accepted',
      failure_class: null,
      errors,
      ...(detail === undefined ? {} : { detail }),
    });
    return true;
  }

  #common(common: Partial<CommonResult>): CommonResult {
    return {
      id: this.#id,
      attempts: this.before.attempts,
      usage: this.before.usage,
      cost_usd: this.before.costUsd,
      worker: this.#loop.worker.name,
      model: null,
      cache_hit: false,
      log_paths: [],
      key: '',
      ...common,
    };
  }

  #append(result: Omit<ResultRecord, 'duration_ms'>): void {
    const duration_ms = performance.now() - this.#started;
    this.#loop.journal.append({ type: 'result', result: { ...result, duration_ms } });
  }
}

/** Another file or directory is where a result is to go. Any other fault of the disk is that of the whole run. */
const PATH_TAKEN: ReadonlySet<string> = new Set(['EEXIST', 'EISDIR', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP']);

/** Why an accepted result is not valid any more; undefined when it is. */
function staleness(
  previous: { key: string; output_sha256?: string | undefined },
  key: string,
  path: string | undefined,
): string | undefined {
  if (previous.key !== key) return 'its inputs changed';
  if (path === undefined || previous.output_sha256 === undefined) return undefined;
  const found = existsSync(path) ? hashFile(path).sha256 : undefined;
  if (found === undefined) return `its result ${path} is gone`;
  return found === previous.output_sha256 ? undefined : `its result ${path} was changed`;
}
