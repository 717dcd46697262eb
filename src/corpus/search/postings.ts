import { type ChunkVisitor, MAX_COUNT } from './tallies.ts';

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
    const starts = new Uint32Array(chunks + 2);
    let used = 0;
    for (const { term, chunks: count, postings } of lists) {
      this.documentFrequency[term] = (this.documentFrequency[term] ?? 0) + count;
      decode(postings, used, ordinals, entries);
      for (const stop = used + count; used < stop; used += 1) {
        entries[used] = ((term << 16) | Math.min(MAX_COUNT, entries[used] ?? 0)) >>> 0;
        const after = (ordinals[used] ?? 0) + 2;
        starts[after] = (starts[after] ?? 0) + 1;
      }
    }
    let sum = 0;
    for (let ordinal = 2; ordinal < starts.length; ordinal += 1) {
      sum += starts[ordinal] ?? 0;
      starts[ordinal] = sum;
    }
    const sorted = new Uint32Array(total);
    for (let index = 0; index < total; index += 1) {
      const next = (ordinals[index] ?? 0) + 1;
      const place = starts[next] ?? 0;
      sorted[place] = entries[index] ?? 0;
      starts[next] = place + 1;
    }
    this.#starts = starts;
    this.#entries = sorted;
  }

  /** As `Tallies.visit`. */
  visit(chunk: ChunkVisitor): void {
    const starts = this.#starts;
    let from = 0;
    for (let ordinal = 0; ordinal + 2 < starts.length; ordinal += 1) {
      const to = starts[ordinal + 1] ?? 0;
      if (from !== to) chunk(ordinal, this.#entries, from, to);
      from = to;
    }
  }
}

function decode(postings: Uint8Array, from: number, ordinals: Uint32Array, counts: Uint32Array): void {
  let index = from;
  let ordinal = 0;
  let isCount = false;
  let value = 0;
  let shift = 0;
  for (let at = 0; at < postings.length; at += 1) {
    const byte = postings[at] ?? 0;
    value |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte >= 0x80) continue;
    if (isCount) counts[index - 1] = value;
    else {
      ordinal += value >>> 1;
      ordinals[index] = ordinal;
      counts[index] = 1;
      index += 1;
    }
    isCount = !isCount && (value & 1) === 1;
    value = 0;
    shift = 0;
  }
}
