/** Bytes of a place: the word, its length, and what is known of it. Two places share a line of the cache. */
const PLACE_BYTES = 32;
const LENGTH_AT = 27;
const VALUE_AT = 7;

/**
 * What was found out about words met before, so that none is stemmed twice in a row of its like. By their bytes:
 * making a string of a word costs more than all else that is done with it. Each hash has two places, the later word
 * first; the third one of a hash drives out the oldest. All lie in one array: an object for each would be a cache miss
 * for each.
 */
export class KnownWords {
  readonly #bytes: Uint8Array;
  readonly #values: Int32Array;
  readonly #shift: number;

  /** @param size how many words at most; a power of two, at least four */
  constructor(size: number) {
    this.#bytes = new Uint8Array(size * PLACE_BYTES);
    this.#values = new Int32Array(this.#bytes.buffer);
    this.#shift = 33 - Math.log2(size);
  }

  /** @param hash of the word's bytes: `Math.imul(hash, 31) + byte` over them */
  get(buffer: Uint8Array, from: number, to: number, hash: number): number | undefined {
    const bytes = this.#bytes;
    const length = to - from;
    const first = (Math.imul(hash, 0x9e3779b1) >>> this.#shift) * 2 * PLACE_BYTES;
    search: for (let place = first; place <= first + PLACE_BYTES; place += PLACE_BYTES) {
      if (bytes[place + LENGTH_AT] !== length) continue;
      for (let at = 0; at < length; at += 1) {
        if (buffer[from + at] !== bytes[place + at]) continue search;
      }
      return this.#values[place / 4 + VALUE_AT];
    }
    return undefined;
  }

  /** Longer words than fit are not kept; nearly none is longer. */
  set(buffer: Uint8Array, from: number, to: number, hash: number, value: number): void {
    if (to - from > LENGTH_AT) return;
    const bytes = this.#bytes;
    const first = (Math.imul(hash, 0x9e3779b1) >>> this.#shift) * 2 * PLACE_BYTES;
    bytes.copyWithin(first + PLACE_BYTES, first, first + PLACE_BYTES);
    for (let at = from; at < to; at += 1) bytes[first + at - from] = buffer[at] ?? 0;
    bytes[first + LENGTH_AT] = to - from;
    this.#values[first / 4 + VALUE_AT] = value;
  }
}
