const EMPTY = -1;

/**
 * A map from ids to numbers in 16 bytes a slot, so that a million jobs fit where a `Map` would need 100 MB.
 * Ids are kept as 64-bit hashes: two of a million ids are taken for one with a chance of 3 in 100 million.
 */
export class IdIndex {
  #hashes: Uint32Array;
  #values: Float64Array;
  #size = 0;

  /** @param of how many ids are expected, or an index to copy */
  constructor(of: number | IdIndex = 1024) {
    if (of instanceof IdIndex) {
      this.#hashes = of.#hashes.slice();
      this.#values = of.#values.slice();
      this.#size = of.#size;
      return;
    }
    const capacity = Math.ceil(Math.max(16, of * 1.4));
    this.#hashes = new Uint32Array(capacity * 2);
    this.#values = new Float64Array(capacity).fill(EMPTY);
  }

  get size(): number {
    return this.#size;
  }

  /** @param value a number ≥ 0 */
  set(id: string, value: number): void {
    if (this.#size * 4 > this.#values.length * 3) this.#grow();
    const [low, high] = hash(id);
    const slot = this.#find(low, high);
    if (this.#values[slot] === EMPTY) {
      this.#size += 1;
      this.#hashes[slot * 2] = low;
      this.#hashes[slot * 2 + 1] = high;
    }
    this.#values[slot] = value;
  }

  get(id: string): number | undefined {
    const [low, high] = hash(id);
    const value = this.#values[this.#find(low, high)];
    return value === EMPTY ? undefined : value;
  }

  #find(low: number, high: number): number {
    const capacity = this.#values.length;
    let slot = low % capacity;
    while (
      this.#values[slot] !== EMPTY &&
      (this.#hashes[slot * 2] !== low || this.#hashes[slot * 2 + 1] !== high)
    ) {
      slot = slot + 1 === capacity ? 0 : slot + 1;
    }
    return slot;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const values = this.#values;
    this.#hashes = new Uint32Array(hashes.length * 2);
    this.#values = new Float64Array(values.length * 2).fill(EMPTY);
    for (let slot = 0; slot < values.length; slot += 1) {
      const value = values[slot] ?? EMPTY;
      if (value === EMPTY) continue;
      const low = hashes[slot * 2] ?? 0;
      const high = hashes[slot * 2 + 1] ?? 0;
      const free = this.#find(low, high);
      this.#hashes[free * 2] = low;
      this.#hashes[free * 2 + 1] = high;
      this.#values[free] = value;
    }
  }
}

/** A short name for a text; two texts share one with a chance of 1 in 2^64, unless they were made to. */
export function quickHash(text: string): string {
  const [low, high] = hash(text);
  return `${high.toString(36)}${low.toString(36)}`;
}

/** Two 32-bit halves of a well-mixed hash (cyrb53's rounds, all 64 bits kept). */
function hash(text: string): [number, number] {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return [a >>> 0, b >>> 0];
}
