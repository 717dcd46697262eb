/** A chunk and how well it fits. */
export interface Scored {
  ordinal: number;
  score: number;
}

/** Keeps the best `limit` of many; of equal ones the first in the corpus. */
export class Top {
  readonly #limit: number;
  #kept: Scored[] = [];
  #threshold = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What scores no more than this is not kept. */
  get threshold(): number {
    return this.#threshold;
  }

  offer(ordinal: number, score: number): void {
    if (score <= this.#threshold) return;
    this.#kept.push({ ordinal, score });
    // Sorted once in a while: cheaper than a heap at these sizes.
    if (this.#kept.length >= this.#limit * 4 + 64) this.#trim();
  }

  best(): Scored[] {
    this.#trim();
    return this.#kept;
  }

  #trim(): void {
    this.#kept.sort((a, b) => b.score - a.score || a.ordinal - b.ordinal);
    if (this.#kept.length < this.#limit) return;
    this.#kept.length = this.#limit;
    this.#threshold = this.#kept.at(-1)?.score ?? 0;
  }
}
