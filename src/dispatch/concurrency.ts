/**
 * How many may run at once: additive increase, multiplicative decrease. A transient error halves it; as many
 * good answers in a row as run at once add one, up to what was asked for.
 */
export class AdaptiveConcurrency {
  readonly #most: number;
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
