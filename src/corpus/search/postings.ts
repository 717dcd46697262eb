import { MAX_COUNT } from './tallies.ts';

/**
 * Postings of one term: for each chunk that holds it, ascending, the distance from the one before times two, plus
 * one when it stands there more than once, which then is followed by how often; all as varints.
 */
export function encodePostings(ordinals: Uint32Array, counts: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(ordinals.length * 8);
  let length = 0;
  const write = (value: number) => {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) {
      bytes[length] = (rest & 0x7f) | 0x80;
      length += 1;
    }
    bytes[length] = rest;
    length += 1;
  };
  let before = 0;
  for (const [index, ordinal] of ordinals.entries()) {
    const count = counts[index] ?? 1;
    write((ordinal - before) * 2 + (count > 1 ? 1 : 0));
    if (count > 1) write(count);
    before = ordinal;
  }
  return bytes.subarray(0, length);
}

/** What an index holds of some terms, chunk by chunk; the same as a scan would count. */
export class IndexedTallies {
  readonly documentFrequency: Uint32Array;
  /** Where the entries of a chunk begin. */
  readonly #starts: Uint32Array;
  readonly #entries: Uint32Array;

  /** @param lists `chunks`: how many entries the list has */
  constructor(
    chunks: number,
    terms: number,
    lists: readonly { term: number; chunks: number; postings: Uint8Array }[],
  ) {
    this.documentFrequency = new Uint32Array(terms);
    const total = lists.reduce((sum, list) => sum + list.chunks, 0);
    const ordinals = new Uint32Array(total);
    const entries = new Uint32Array(total);
    this.#starts = new Uint32Array(chunks + 2);
    let used = 0;
    for (const { term, chunks: count, postings } of lists) {
      this.documentFrequency[term] = (this.documentFrequency[term] ?? 0) + count;
      decode(postings, used, ordinals, entries);
      for (const stop = used + count; used < stop; used += 1) {
        entries[used] = ((term << 16) | Math.min(MAX_COUNT, entries[used] ?? 0)) >>> 0;
        const after = (ordinals[used] ?? 0) + 2;
        this.#starts[after] = (this.#starts[after] ?? 0) + 1;
      }
    }
    for (let ordinal = 2; ordinal < this.#starts.length; ordinal += 1) {
      this.#starts[ordinal] = (this.#starts[ordinal] ?? 0) + (this.#starts[ordinal - 1] ?? 0);
    }
    this.#entries = new Uint32Array(total);
    for (let index = 0; index < total; index += 1) {
      const next = (ordinals[index] ?? 0) + 1;
      const place = this.#starts[next] ?? 0;
      this.#entries[place] = entries[index] ?? 0;
      this.#starts[next] = place + 1;
    }
  }

  /** As `Tallies.visit`. */
  visit(chunk: (ordinal: number, terms: Uint32Array) => void): void {
    for (let ordinal = 0; ordinal + 2 < this.#starts.length; ordinal += 1) {
      const from = this.#starts[ordinal] ?? 0;
      const to = this.#starts[ordinal + 1] ?? 0;
      if (from !== to) chunk(ordinal, this.#entries.subarray(from, to));
    }
  }
}

function decode(postings: Uint8Array, from: number, ordinals: Uint32Array, counts: Uint32Array): void {
  let index = from;
  let at = 0;
  const read = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = postings[at] ?? 0;
      at += 1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  };
  let ordinal = 0;
  while (at < postings.length) {
    const value = read();
    ordinal += value >>> 1;
    ordinals[index] = ordinal;
    counts[index] = (value & 1) === 1 ? read() : 1;
    index += 1;
  }
}
