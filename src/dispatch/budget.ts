import type { Budget, Usage } from '../contracts/index.ts';
import { RlmError } from '../errors.ts';

/** US dollars a million tokens. */
export interface Price {
  input: number;
  cached_input?: number | undefined;
  output: number;
}

export function costOf(usage: Usage, price: Price): number {
  const fresh = usage.input_tokens - usage.cached_input_tokens;
  const cached = usage.cached_input_tokens * (price.cached_input ?? price.input);
  return (fresh * price.input + cached + usage.output_tokens * price.output) / 1_000_000;
}

/** The error for a limit in dollars where no price is known. */
export function noPrice(): RlmError {
  return new RlmError('usage', 'max_cost_usd needs the price of the model, and none is configured', {
    hint: 'Put it under "prices" in .rlm/config.json ({"<model>": {"input": 1.25, "output": 10}} in US dollars a million tokens), or use max_tokens.',
  });
}

/** What a launch is expected to use, set aside until its true use is known. */
interface Reservation {
  tokens: number;
  costUsd: number;
}

/** What was used before this driver. */
interface Spent {
  workers: number;
  attempts: number;
  tokens: number;
  costUsd: number;
  /** For how long drivers have worked on it, milliseconds. */
  workedMs: number;
}

/** Share of reserved tokens added while nothing is known yet: an answer's worth. */
const FIRST_OUTPUT_TOKENS = 1_000;
const BYTES_PER_TOKEN = 4;

/**
 * The limits of a run, checked before each launch. Tokens and dollars of calls under way are reserved at the
 * mean of the calls before, so a limit is passed by at most the surprise of the last few calls.
 */
export class BudgetLedger {
  readonly #budget: Budget;
  readonly #spent: Spent;
  readonly #price: Price | undefined;
  readonly #deadline: number;
  #reservedTokens = 0;
  #reservedCost = 0;
  #probing: boolean;
  #settled = 0;
  #settledTokens = 0;
  #settledCost = 0;

  /**
   * @param startedAt when the activity was started or resumed, by `performance.now()`: the wall clock may be set
   * @param reportsCost whether the worker itself says what a call cost
   * @throws RlmError `usage` for a limit in dollars where no price is known
   */
  constructor(
    budget: Budget,
    spent: Spent,
    startedAt: number,
    price: Price | undefined,
    reportsCost: boolean,
  ) {
    if (budget.max_cost_usd !== undefined && price === undefined && !reportsCost) {
      throw noPrice();
    }
    this.#budget = budget;
    this.#spent = { ...spent };
    this.#price = price;
    this.#probing = budget.max_tokens !== undefined || budget.max_cost_usd !== undefined;
    this.#deadline =
      budget.max_minutes === undefined
        ? Number.POSITIVE_INFINITY
        : startedAt + budget.max_minutes * 60_000 - spent.workedMs;
  }

  /** Milliseconds until `max_minutes` is over; Infinity without that limit. */
  remainingMs(now: number): number {
    return this.#deadline - now;
  }

  /** The limit that is reached when the minutes are over, in words. */
  get minutesOver(): string {
    return `max_minutes ${this.#budget.max_minutes} is over`;
  }

  /** Whether calls go out one at a time still: there is a limit in tokens or dollars, and no call has ended yet. */
  get mustProbe(): boolean {
    return this.#probing;
  }

  /**
   * Sets aside what a launch will use.
   *
   * @param promptBytes size of the whole prompt
   * @param first whether it is the first attempt of its assignment
   * @returns the reservation, or the limit that is reached, in words
   */
  reserve(promptBytes: number, first: boolean, now: number): Reservation | string {
    const { max_workers, max_attempts, max_tokens, max_cost_usd } = this.#budget;
    if (now >= this.#deadline) return this.minutesOver;
    if (first && max_workers !== undefined && this.#spent.workers >= max_workers) {
      return `max_workers ${max_workers} reached`;
    }
    if (max_attempts !== undefined && this.#spent.attempts >= max_attempts)
      return `max_attempts ${max_attempts} reached`;
    const prompt = Math.ceil(promptBytes / BYTES_PER_TOKEN);
    const tokens = this.#settled > 0 ? this.#settledTokens / this.#settled : prompt + FIRST_OUTPUT_TOKENS;
    const costUsd = this.#expectedCost(prompt);
    if (max_tokens !== undefined && this.#spent.tokens + this.#reservedTokens + tokens > max_tokens) {
      return `max_tokens ${max_tokens}: ${this.#spent.tokens} used, ${Math.round(this.#reservedTokens)} reserved, about ${Math.round(tokens)} more needed`;
    }
    if (max_cost_usd !== undefined && this.#spent.costUsd + this.#reservedCost + costUsd > max_cost_usd) {
      return `max_cost_usd ${max_cost_usd}: ${this.#spent.costUsd.toFixed(4)} used, ${this.#reservedCost.toFixed(4)} reserved, about ${costUsd.toFixed(4)} more needed`;
    }
    this.#spent.attempts += 1;
    if (first) this.#spent.workers += 1;
    this.#reservedTokens += tokens;
    this.#reservedCost += costUsd;
    return { tokens, costUsd };
  }

  /** Replaces a reservation by what was really used. */
  settle(reservation: Reservation, usage: Usage, costUsd: number | null): void {
    const tokens = usage.input_tokens + usage.output_tokens;
    this.#probing = false;
    this.#reservedTokens -= reservation.tokens;
    this.#reservedCost -= reservation.costUsd;
    this.#spent.tokens += tokens;
    this.#spent.costUsd += costUsd ?? 0;
    if (tokens === 0) return;
    this.#settled += 1;
    this.#settledTokens += tokens;
    this.#settledCost += costUsd ?? 0;
  }

  #expectedCost(promptTokens: number): number {
    if (this.#settled > 0) return this.#settledCost / this.#settled;
    if (this.#price === undefined) return 0;
    return (promptTokens * this.#price.input + FIRST_OUTPUT_TOKENS * this.#price.output) / 1_000_000;
  }
}
