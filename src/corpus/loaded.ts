import { statSync } from 'node:fs';

/** What is kept: things at most, and bytes of memory at most. */
interface Limits {
  count: number;
  bytes: number;
}

/**
 * What was loaded from files, kept as long as none of the files changes. A server answers many calls about few
 * corpora.
 */
export class Loaded<T> {
  readonly #limits: Limits;
  readonly #bytesOf: (thing: T) => number;
  /** The one used last at the end. */
  readonly #known = new Map<string, { stamp: string; thing: T }>();

  /** @param bytesOf memory that a thing takes; one that takes more than the limit is not kept */
  constructor(limits: Limits, bytesOf: (thing: T) => number) {
    this.#limits = limits;
    this.#bytesOf = bytesOf;
  }

  /** What was loaded before under that key, when none of its files changed since; else it is loaded. */
  async get(key: string, files: readonly string[], load: () => Promise<T>): Promise<T> {
    // Stamped before it is loaded: what changes meanwhile is loaded again the next time.
    const stamp = files.map(stampOf).join();
    const known = this.#known.get(key);
    this.#known.delete(key);
    const thing = known?.stamp === stamp ? known.thing : await load();
    if (this.#bytesOf(thing) <= this.#limits.bytes) this.#known.set(key, { stamp, thing });
    this.#forget();
    return thing;
  }

  #forget(): void {
    for (const oldest of this.#known.keys()) {
      const bytes = [...this.#known.values()].reduce((sum, { thing }) => sum + this.#bytesOf(thing), 0);
      if (this.#known.size <= this.#limits.count && bytes <= this.#limits.bytes) return;
      this.#known.delete(oldest);
    }
  }
}

/** Which file it is, and when it was last written. */
function stampOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? 'none' : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
}
