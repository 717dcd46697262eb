import { type ChunkVisitor, MAX_COUNT } from './tallies.ts';

/** Entries that may be read first, as a share of all: those of the rarest terms. */
const RARE_SHARE = 0.25;

/** What an index holds of some terms; the same as a scan would count. */
export class IndexedTallies {
  readonly documentFrequency: Uint32Array;
  readonly #chunks: number;
  /** One list after the other: the chunk of each entry, and `term << 16 | count`. */
  readonly #ordinals: Uint32Array;
  readonly #entries: Uint32Array;

  /** @param lists `chunks`: how many entries the list has */
  constructor(
    chunks: number,
    terms: number,
    lists: readonly { term: number; chunks: number; postings: Uint8Array }[],
  ) {
    this.#chunks = chunks;
    this.documentFrequency = new Uint32Array(terms);
    const total = lists.reduce((sum, list) => sum + list.chunks, 0);
    this.#ordinals = new Uint32Array(total);
    this.#entries = new Uint32Array(total);
    let used = 0;
    for (const { term, chunks: count, postings } of lists) {
      this.documentFrequency[term] = (this.documentFrequency[term] ?? 0) + count;
      decode(postings, term, used, this.#ordinals, this.#entries);
      used += count;
    }
  }

  /** Those of some terms (1 for each) that stand in the fewest chunks, as far as they make a part of all entries. */
  rareTerms(among: Uint8Array): Uint8Array {
    const rare = new Uint8Array(among.length);
    const byFrequency = [...among.keys()]
      .filter((term) => among[term] === 1)
      .sort((one, other) => this.#frequency(one) - this.#frequency(other));
    let room = RARE_SHARE * byFrequency.reduce((sum, term) => sum + this.#frequency(term), 0);
    for (const term of byFrequency) {
      room -= this.#frequency(term);
      if (room < 0) break;
      rare[term] = 1;
    }
    return rare;
  }

  #frequency(term: number): number {
    return this.documentFrequency[term] ?? 0;
  }

  /** How many chunks hold any of these terms. */
  chunksWith(terms: Uint8Array): number {
    const seen = emptyNumbers(this.#chunks);
    const entries = this.#entries;
    const ordinals = this.#ordinals;
    let count = 0;
    for (let index = 0; index < entries.length; index += 1) {
      const ordinal = ordinals[index] ?? 0;
      if (seen[ordinal] !== 0 || terms[(entries[index] ?? 0) >>> 16] !== 1) continue;
      seen[ordinal] = 1;
      count += 1;
    }
    return count;
  }

  /** As `Tallies.visit`; of the chunks that hold one of some terms (1 for each), when they are given. */
  visit(chunk: ChunkVisitor, terms?: Uint8Array): void {
    const { numbers, count } = this.#numberChunks(terms);
    const ordinals = this.#ordinals;
    const entries = this.#entries;
    const starts = new Uint32Array(count + 2);
    for (let index = 0; index < entries.length; index += 1) {
      const number = numbers[ordinals[index] ?? 0] ?? 0;
      // What is in no wanted chunk has number 0, and is counted where nobody looks.
      starts[number] = (starts[number] ?? 0) + (number === 0 ? 0 : 1);
    }
    let sum = 0;
    for (let number = 1; number < starts.length; number += 1) {
      const own = starts[number] ?? 0;
      starts[number] = sum;
      sum += own;
    }
    const sorted = new Uint32Array(sum);
    for (let index = 0; index < entries.length; index += 1) {
      const number = numbers[ordinals[index] ?? 0] ?? 0;
      if (number === 0) continue;
      const place = starts[number] ?? 0;
      sorted[place] = entries[index] ?? 0;
      starts[number] = place + 1;
    }
    let from = 0;
    for (let ordinal = 0; ordinal < numbers.length; ordinal += 1) {
      const number = numbers[ordinal] ?? 0;
      if (number === 0) continue;
      const to = starts[number] ?? 0;
      chunk(ordinal, sorted, from, to);
      from = to;
    }
  }

  /** Numbers the chunks that hold one of the terms, ascending from 1; the others have 0. */
  #numberChunks(terms?: Uint8Array): { numbers: Uint32Array; count: number } {
    const numbers = emptyNumbers(this.#chunks);
    const entries = this.#entries;
    const ordinals = this.#ordinals;
    for (let index = 0; index < entries.length; index += 1) {
      if (terms === undefined || terms[(entries[index] ?? 0) >>> 16] === 1) numbers[ordinals[index] ?? 0] = 1;
    }
    let count = 0;
    for (let ordinal = 0; ordinal < numbers.length; ordinal += 1) {
      if (numbers[ordinal] === 0) continue;
      count += 1;
      numbers[ordinal] = count;
    }
    return { numbers, count };
  }
}

/** A number for each chunk, all 0. Taken anew for each question, its pages would cost more than all else is done with it. */
function emptyNumbers(chunks: number): Uint32Array {
  if (numbers.length < chunks) numbers = new Uint32Array(chunks);
  return numbers.subarray(0, chunks).fill(0);
}

let numbers = new Uint32Array(0);

function decode(
  postings: Uint8Array,
  term: number,
  from: number,
  ordinals: Uint32Array,
  entries: Uint32Array,
): void {
  const name = term << 16;
  let index = from;
  let ordinal = 0;
  for (let at = 0; at < postings.length; index += 1) {
    let byte = postings[at] ?? 0;
    let value = byte & 0x7f;
    at += 1;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = postings[at] ?? 0;
      value |= (byte & 0x7f) << shift;
      at += 1;
    }
    let count = 1;
    if ((value & 1) === 1) {
      byte = postings[at] ?? 0;
      count = byte & 0x7f;
      at += 1;
      for (let shift = 7; byte >= 0x80; shift += 7) {
        byte = postings[at] ?? 0;
        count |= (byte & 0x7f) << shift;
        at += 1;
      }
    }
    ordinal += value >>> 1;
    ordinals[index] = ordinal;
    entries[index] = (name | Math.min(MAX_COUNT, count)) >>> 0;
  }
}
