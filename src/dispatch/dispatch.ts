import { existsSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import pLimit from 'p-limit';
import { type FailureClass, NO_USAGE, type ResultRecord } from '../contracts/index.ts';
import { messageOf, RlmError, systemCode } from '../errors.ts';
import { fileMark, hashFile } from '../files/index.ts';
import type { Worker } from '../workers/index.ts';
import type { Assignment, PreparedAssignment } from './assignment.ts';
import { type AttemptLoop, type AttemptsEnd, runAttempts } from './attempts.ts';
import type { BudgetLedger } from './budget.ts';
import { AnswerCache } from './cache.ts';
import { type History, type Journal, ResultReader } from './journal.ts';
import { AdaptiveConcurrency, type RetryLimits, type Stop } from './policy.ts';

export interface DispatchOptions {
  journal: Journal;
  /** The journal's file, for reading earlier results back. */
  journalPath: string;
  history: History;
  worker: Worker;
  /** Calls at a time, at most. */
  parallel: number;
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
 * `resume`. An assignment whose accepted result of an earlier driver still stands is passed over.
 *
 * @returns why it stopped early, or undefined when every assignment has its result
 */
export async function dispatch(
  source: AsyncIterable<Assignment> | Iterable<Assignment>,
  options: DispatchOptions,
): Promise<Stop | undefined> {
  const { journal, worker, budget, signal } = options;
  const limit = pLimit(options.parallel);
  const concurrency = new AdaptiveConcurrency(options.parallel);
  const earlier = new ResultReader(options.journalPath);
  let stop: Stop | undefined;
  let wake: () => void = () => {};
  let brokenInside: unknown;
  const underWay = () => limit.activeCount + limit.pendingCount;
  /** Assignments that were begun and are not settled: those under way, and those whose result is put away. */
  let open = 0;
  const aChange = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });

  const changed = (to: number | undefined, reason: string) => {
    if (to === undefined) return;
    journal.append({ type: 'concurrency', from: limit.concurrency, to, reason });
    limit.concurrency = to;
    wake();
  };
  const ending = new AbortController();
  const end = (reason?: Stop) => {
    stop ??= reason;
    ending.abort();
    wake();
  };
  const loop: AttemptLoop = {
    ...options,
    random: options.random ?? Math.random,
    stopped: () => ending.signal.aborted,
    stopSignal: ending.signal,
    onStop: (reason) => end(reason),
    onTransientError: (failure, launchedAt) =>
      changed(concurrency.faulted(launchedAt, performance.now()), failure.class),
    onSuccess: () => changed(concurrency.succeeded(), 'good answers'),
  };

  const quota = await worker.quota?.();
  if (quota?.exhausted) {
    const message = `the account's allowance is used up (${quota.usedPercent} %)`;
    earlier.close();
    return {
      why: 'quota',
      failure: { class: 'quota', message, ...(quota.resetsAt ? { resets_at: quota.resetsAt } : {}) },
    };
  }

  const onAbort = () => end();
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) end();
  try {
    for await (const assignment of source) {
      if (loop.stopped()) break;
      if (stillStands(assignment, earlier, options.history)) {
        assignment.settled?.();
        continue;
      }
      while (!loop.stopped() && underWay() >= (budget.mustProbe ? 1 : limit.concurrency)) await aChange();
      if (loop.stopped()) break;
      open += 1;
      limit(() => runOne(assignment, loop, earlier, options.history))
        .then(async (putAway) => {
          // Its slot is free: the next one is launched first.
          wake();
          await nextTurn();
          putAway?.();
        })
        .catch((error: unknown) => {
          brokenInside ??= error;
          end({ why: 'config', failure: { class: 'config', message: messageOf(error) } });
        })
        .then(() => {
          open -= 1;
          assignment.settled?.();
          wake();
        });
    }
    while (open > 0) await aChange();
  } finally {
    signal.removeEventListener('abort', onAbort);
    earlier.close();
  }
  if (brokenInside !== undefined) throw brokenInside;
  if (signal.aborted) return { why: 'cancelled', failure: { class: 'cancelled', message: 'cancelled' } };
  return stop;
}

/** Whether an earlier driver's accepted result stands by the look of its inputs and output: for most, in a resume. */
function stillStands(assignment: Assignment, earlier: ResultReader, history: History): boolean {
  const offset = history.accepted.get(assignment.id);
  const previous = offset === undefined ? undefined : earlier.read(offset);
  const place = assignment.place ?? previous?.output_path;
  if (previous?.id !== assignment.id || place === undefined) return false;
  const { input_mark, output_mark } = previous;
  if (input_mark === undefined || output_mark === undefined) return false;
  return input_mark === assignment.mark?.() && output_mark === fileMark(place, { ours: true });
}

/**
 * One assignment: passed over, answered from the cache, or worked on until it has a result.
 *
 * @returns what is left to do when its answer was accepted: to put the result in its place
 */
async function runOne(
  assignment: Assignment,
  loop: AttemptLoop,
  earlier: ResultReader,
  history: History,
): Promise<(() => void) | undefined> {
  const { journal, worker } = loop;
  const started = performance.now();
  const before = history.attempts.get(assignment.id);
  const base: CommonResult = {
    id: assignment.id,
    attempts: before?.last ?? 0,
    usage: before?.usage ?? NO_USAGE,
    cost_usd: before?.costUsd ?? null,
    worker: worker.name,
    model: null,
    cache_hit: false,
    log_paths: [],
    key: '',
  };
  const append = (result: Omit<ResultRecord, 'duration_ms'>) => {
    journal.append({ type: 'result', result: { ...result, duration_ms: performance.now() - started } });
  };
  const fail = (common: CommonResult, failure_class: FailureClass, errors: string[]): undefined => {
    append({ ...common, status: 'failed', failure_class, errors });
  };
  // Before anything is read: a change from now on shows.
  const inputMark = assignment.mark?.();
  /** @returns whether the text is in its place; an assignment whose place is taken fails alone */
  const accept = (
    common: CommonResult,
    { text, detail }: Accepted,
    to: PreparedAssignment,
    errors: string[],
  ) => {
    let place: ReturnType<PreparedAssignment['commit']>;
    try {
      place = to.commit(text);
    } catch (error) {
      if (!PLACE_TAKEN.has(systemCode(error) ?? '')) throw error;
      fail(common, 'config', [...errors, `the result cannot be written: ${messageOf(error)}`]);
      return false;
    }
    const outputMark = inputMark === undefined ? undefined : fileMark(place.output_path, { ours: true });
    append({
      ...common,
      ...place,
      ...(outputMark === undefined ? {} : { input_mark: inputMark, output_mark: outputMark }),
      status: 'accepted',
      failure_class: null,
      errors,
      ...(detail === undefined ? {} : { detail }),
    });
    return true;
  };

  let prepared: PreparedAssignment;
  try {
    prepared = await assignment.prepare();
  } catch (error) {
    if (!(error instanceof RlmError)) throw error;
    return fail(base, 'config', [error.message]);
  }
  const { key } = prepared;

  const offset = history.accepted.get(assignment.id);
  const previous = offset === undefined ? undefined : earlier.read(offset);
  if (previous?.id === assignment.id) {
    const why = staleness(previous, key, assignment.place ?? previous.output_path);
    if (why === undefined) return undefined;
    journal.append({ type: 'stale', id: assignment.id, why });
  }

  const call = prepared.call();
  const cacheKey =
    loop.cache === undefined || worker.cacheIdentity === null || prepared.cacheKey === null
      ? undefined
      : AnswerCache.key([prepared.cacheKey, worker.name, worker.cacheIdentity, call.model, call.effort]);
  const cached = cacheKey === undefined ? undefined : loop.cache?.get(cacheKey);
  if (cached !== undefined) {
    const acceptance = await prepared.accept(prepared.adopt?.(cached.text) ?? cached.text);
    if (acceptance.ok) {
      return () => {
        accept({ ...base, model: cached.model, cache_hit: true, key }, acceptance, prepared, []);
      };
    }
  }

  const end = await runAttempts(
    assignment.id,
    prepared,
    { attempts: base.attempts, usage: base.usage, costUsd: base.cost_usd },
    loop,
  );
  if (end === 'open') return undefined;
  const common: CommonResult = {
    ...base,
    attempts: end.attempts,
    usage: end.usage,
    cost_usd: end.costUsd,
    model: end.model ?? call.model,
    log_paths: end.logPaths,
    key,
  };
  const { acceptance } = end;
  if (acceptance === undefined) return fail(common, end.failure?.class ?? 'crashed', end.errors);
  return () => {
    if (accept(common, acceptance, prepared, end.errors) && cacheKey !== undefined) {
      loop.cache?.put(cacheKey, { text: acceptance.text, worker: worker.name, model: common.model });
    }
  };
}

type CommonResult = Pick<
  ResultRecord,
  'id' | 'attempts' | 'usage' | 'cost_usd' | 'worker' | 'model' | 'cache_hit' | 'log_paths' | 'key'
>;
type Accepted = NonNullable<AttemptsEnd['acceptance']>;

/** Another file or directory stands where a result is to go. Any other fault of the disk is that of the whole run. */
const PLACE_TAKEN: ReadonlySet<string> = new Set(['EEXIST', 'EISDIR', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP']);

/** Why an accepted result does not stand any more; undefined when it does. */
function staleness(
  previous: { key: string; output_sha256?: string | undefined },
  key: string,
  place: string | undefined,
): string | undefined {
  if (previous.key !== key) return 'its inputs changed';
  if (place === undefined || previous.output_sha256 === undefined) return undefined;
  const found = existsSync(place) ? hashFile(place).sha256 : undefined;
  if (found === undefined) return `its result ${place} is gone`;
  return found === previous.output_sha256 ? undefined : `its result ${place} was changed`;
}
