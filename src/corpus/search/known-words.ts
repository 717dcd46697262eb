/** Longer words are not kept; nearly none is. */
const ROOM = 32;

/**
 * What was found out about words met before, so that none is stemmed twice in a row of its like. By their bytes:
 * making a string of a word costs more than all else that is done with it. A word gives way to the next of its
 * hash. All lie in one array: an object for each would be a cache miss for each.
 */
export class KnownWords {
  readonly #bytes: Uint8Array;
  /** By slot; 0 for none. */
  readonly #lengths: Uint8Array;
  readonly #values: Int32Array;

  /** @param size how many words at most; a power of two */
  constructor(size: number) {
    this.#bytes = new Uint8Array(size * ROOM);
    this.#lengths = new Uint8Array(size);
    this.#values = new Int32Array(size);
  }

  /** @param hash of the word's bytes: `Math.imul(hash, 31) + byte` over them */
  get(buffer: Buffer, from: number, to: number, hash: number): number | undefined {
    const slot = this.#slotOf(hash);
    const length = to - from;
    if (this.#lengths[slot] !== length) return undefined;
    const bytes = this.#bytes;
    const begin = slot * ROOM;
    for (let place = 0; place < length; place += 1) {
      if (buffer[from + place] !== bytes[begin + place]) return undefined;
    }
    return this.#values[slot];
  }

  set(buffer: Buffer, from: number, to: number, hash: number, value: number): void {
    if (to - from > ROOM) return;
    const slot = this.#slotOf(hash);
    buffer.copy(this.#bytes, slot * ROOM, from, to);
    this.#lengths[slot] = to - from;
    this.#values[slot] = value;
  }

  #slotOf(hash: number): number {
    return (hash ^ (hash >>> 15)) & (this.#values.length - 1);
  }
}
