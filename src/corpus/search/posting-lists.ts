/** Bytes of the slices that a list is kept in, by how many it has. */
const SLICE_BYTES = Uint32Array.of(16, 32, 64, 128, 256, 512);
/** At the end of each: how many bytes before it are not used, and where the next slice is. */
const LINK_BYTES = 5;
/** The longest posting: two varints of five and three bytes. */
const POSTING_BYTES = 8;

/** Of a list: where its next byte goes, where its slice ends, its slices, its last chunk, its chunks, its first slice. */
const FIELDS = 6;
const AT = 0;
const END = 1;
const SLICES = 2;
const LAST = 3;
const CHUNKS = 4;
const START = 5;

/** The postings of one term. */
export interface PostingList {
  /** How many chunks hold the term. */
  chunks: number;
  /** The last of them. */
  last: number;
  postings: Uint8Array;
}

/**
 * Postings of many terms, gathered chunk by chunk in one piece of memory. A posting is, for each chunk that holds a
 * term, ascending, the distance from the one before times two, plus one when it stands there more than once, which
 * then is followed by how often; all as varints. Each list grows by slices: none is ever moved or sorted.
 */
export class PostingLists {
  #pool: Uint8Array;
  #used = 0;
  #fields = new Uint32Array(FIELDS << 12);
  #lists = 0;

  /** @param bytes that are taken at once; more are taken when they do not do */
  constructor(bytes: number) {
    this.#pool = new Uint8Array(bytes);
  }

  /** Bytes of all slices. */
  get bytes(): number {
    return this.#used;
  }

  /** Forgets all lists, and keeps their memory. */
  clear(): void {
    this.#used = 0;
    this.#lists = 0;
    this.#fields.fill(0);
  }

  /** Adds a chunk to the list of a term. Chunks come in ascending order; terms are numbered as they come. */
  add(term: number, ordinal: number, count: number): void {
    while (term >= this.#lists) this.#begin();
    const fields = this.#fields;
    const field = term * FIELDS;
    let at = fields[field + AT] ?? 0;
    if ((fields[field + END] ?? 0) - at < POSTING_BYTES) at = this.#grow(field, at);
    const pool = this.#pool;
    let rest = (ordinal - (fields[field + LAST] ?? 0)) * 2 + (count > 1 ? 1 : 0);
    for (; rest > 0x7f; rest >>>= 7) {
      pool[at] = (rest & 0x7f) | 0x80;
      at += 1;
    }
    pool[at] = rest;
    at += 1;
    if (count > 1) {
      for (rest = count; rest > 0x7f; rest >>>= 7) {
        pool[at] = (rest & 0x7f) | 0x80;
        at += 1;
      }
      pool[at] = rest;
      at += 1;
    }
    fields[field + AT] = at;
    fields[field + LAST] = ordinal;
    fields[field + CHUNKS] = (fields[field + CHUNKS] ?? 0) + 1;
  }

  /** What was gathered of a term, if anything; the postings are a copy. */
  list(term: number): PostingList | undefined {
    const field = term * FIELDS;
    const fields = this.#fields.subarray(field, field + FIELDS);
    if (term >= this.#lists || fields[CHUNKS] === 0) return undefined;
    const parts: Uint8Array[] = [];
    let start = fields[START] ?? 0;
    for (let slice = 0; slice + 1 < (fields[SLICES] ?? 0); slice += 1) {
      const end = start + sizeOf(slice) - LINK_BYTES;
      parts.push(this.#pool.subarray(start, end - (this.#pool[end] ?? 0)));
      start = new DataView(this.#pool.buffer).getUint32(end + 1);
    }
    parts.push(this.#pool.subarray(start, fields[AT]));
    return { chunks: fields[CHUNKS] ?? 0, last: fields[LAST] ?? 0, postings: Buffer.concat(parts) };
  }

  #begin(): void {
    const field = this.#lists * FIELDS;
    this.#lists += 1;
    if (this.#lists * FIELDS > this.#fields.length) {
      const grown = new Uint32Array(this.#fields.length * 2);
      grown.set(this.#fields);
      this.#fields = grown;
    }
    const start = this.#slice(0);
    this.#fields[field + AT] = start;
    this.#fields[field + START] = start;
    this.#fields[field + END] = start + sizeOf(0) - LINK_BYTES;
    this.#fields[field + SLICES] = 1;
  }

  /** Gives a list its next slice; returns where that begins. */
  #grow(field: number, at: number): number {
    const slices = this.#fields[field + SLICES] ?? 0;
    const next = this.#slice(slices);
    const end = this.#fields[field + END] ?? 0;
    this.#pool[end] = end - at;
    new DataView(this.#pool.buffer).setUint32(end + 1, next);
    this.#fields[field + END] = next + sizeOf(slices) - LINK_BYTES;
    this.#fields[field + SLICES] = slices + 1;
    return next;
  }

  #slice(level: number): number {
    const start = this.#used;
    this.#used += sizeOf(level);
    if (this.#used > this.#pool.length) {
      const grown = new Uint8Array(Math.max(this.#used, this.#pool.length * 1.5));
      grown.set(this.#pool);
      this.#pool = grown;
    }
    return start;
  }
}

function sizeOf(level: number): number {
  return SLICE_BYTES[Math.min(level, SLICE_BYTES.length - 1)] ?? 0;
}
