import type { Failure, FailureClass } from '../contracts/index.ts';

/** What a failed attempt leads to. */
export type Decision =
  | { next: 'retry'; delayMs: number }
  | { next: 'split' }
  | { next: 'fail' }
  /** The assignment fails, and nothing more is launched. */
  | { next: 'stop' };

/** Why dispatch ended before its assignments did. */
export interface Stop {
  why: 'quota' | 'auth' | 'config' | 'budget' | 'cancelled';
  failure: Failure;
}

interface AttemptCounts {
  /** Attempts that failed through the worker's or the answer's fault. */
  own: number;
  /** Attempts that failed through a transient error of the other side. */
  transient: number;
}

export interface RetryLimits {
  /** Further attempts after faults of its own; 0 means one attempt whatever happens. */
  retries: number;
  /** Retries transient errors only: work that was begun may have left something behind. */
  transientOnly?: boolean;
  /** Further attempts after transient errors: a burst of 429s must not use up the retries of a whole run. */
  transientRetries: number;
  backoffBaseMs: number;
  backoffMaxMs: number;
}

/** A provider that asks for a longer wait than this is not retried: one hour. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Errors of the other side that waiting, and fewer calls at once, can get past. */
export function isTransient(failureClass: FailureClass): boolean {
  return failureClass === 'throttled' || failureClass === 'server' || failureClass === 'network';
}

/** Failures after which nothing more is launched. */
export function isStop(failureClass: FailureClass): failureClass is Exclude<Stop['why'], 'cancelled'> {
  return ['quota', 'auth', 'config', 'budget'].includes(failureClass);
}

/** The policy of every failure class, in one place. `counts` includes the attempt that just failed. */
export function decide(
  failure: Failure,
  counts: AttemptCounts,
  limits: RetryLimits,
  canSplit: boolean,
  random: () => number,
): Decision {
  const maySplit = canSplit && limits.retries > 0;
  const again = limits.transientOnly !== true && counts.own <= limits.retries;
  const ownRetry: Decision = again ? { next: 'retry', delayMs: 0 } : { next: 'fail' };
  switch (failure.class) {
    case 'quota':
    case 'auth':
    case 'config':
    case 'budget':
      return { next: 'stop' };
    case 'throttled':
    case 'server':
    case 'network': {
      if (limits.retries === 0 || counts.transient > limits.transientRetries) return { next: 'fail' };
      if ((failure.retry_after_ms ?? 0) > MAX_RETRY_AFTER_MS) return { next: 'fail' };
      return { next: 'retry', delayMs: backoff(counts.transient, failure, limits, random) };
    }
    case 'overflow':
      return maySplit ? { next: 'split' } : { next: 'fail' };
    case 'timeout':
      return maySplit ? { next: 'split' } : ownRetry;
    case 'invalid_output':
    case 'crashed':
      return ownRetry;
    case 'cancelled':
      return { next: 'fail' };
  }
}

/** Exponential with equal jitter (half of it is random), never earlier than the other side asked for. */
function backoff(tries: number, failure: Failure, limits: RetryLimits, random: () => number): number {
  const ceiling = Math.min(limits.backoffMaxMs, limits.backoffBaseMs * 2 ** (tries - 1));
  const jittered = ceiling / 2 + (random() * ceiling) / 2;
  return Math.round(Math.max(jittered, failure.retry_after_ms ?? 0));
}

/**
 * How many may run at once: additive increase, multiplicative decrease. A transient error halves it; as many
 * good answers in a row as run at once add one, up to what was asked for.
 */
export class AdaptiveConcurrency {
  #most: number;
  #now: number;
  #goodInARow = 0;
  #decreasedAt = 0;

  constructor(most: number) {
    this.#most = most;
    this.#now = most;
  }

  get now(): number {
    return this.#now;
  }

  /** Raises the limit. @returns the new number when it changed: after a decrease it grows with good answers */
  raise(most: number): number | undefined {
    if (most <= this.#most) return undefined;
    const decreased = this.#now < this.#most;
    this.#most = most;
    if (decreased) return undefined;
    this.#now = most;
    return most;
  }

  /** @returns the new number when it changed */
  succeeded(): number | undefined {
    if (this.#now >= this.#most) return undefined;
    this.#goodInARow += 1;
    if (this.#goodInARow < this.#now) return undefined;
    this.#goodInARow = 0;
    this.#now += 1;
    return this.#now;
  }

  /**
   * @param launchedAt when the attempt was launched: those launched before the last decrease say nothing new
   * @returns the new number when it changed
   */
  faulted(launchedAt: number, now: number): number | undefined {
    this.#goodInARow = 0;
    if (launchedAt < this.#decreasedAt || this.#now === 1) return undefined;
    this.#decreasedAt = now;
    this.#now = Math.max(1, Math.floor(this.#now / 2));
    return this.#now;
  }
}
