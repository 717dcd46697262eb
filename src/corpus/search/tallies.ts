import type { Spans } from '../spans.ts';

/** Higher counts are stored as this one. */
const MAX_COUNT = 0xffff;

/** Gets a chunk's `term << 16 | count` at `from` to before `to`: a view for each chunk would cost most of a pass. */
export type ChunkVisitor = (ordinal: number, entries: Uint32Array, from: number, to: number) => void;

/** Which chunks hold which terms how often, packed: a gigabyte's worth takes a few megabytes. */
export class Tallies {
  /** How many chunks hold a term. */
  readonly documentFrequency: Uint32Array;
  /** For each chunk that holds any: its ordinal, how many terms follow, then each term << 16 | count. */
  #packed = new Uint32Array(1 << 12);
  #used = 0;
  #spans: Spans | undefined;
  #current: Tally;
  #next: Tally;
  #end = 0;

  constructor(terms: number) {
    this.documentFrequency = new Uint32Array(terms);
    this.#current = new Tally(terms);
    this.#next = new Tally(terms);
  }

  /** Starts on the chunks `from` to before `to`, which lie in one text. */
  begin(spans: Spans, from: number, to: number): void {
    this.#spans = spans;
    this.#current.at(spans, from);
    this.#next.at(spans, from + 1 < to ? from + 1 : -1);
    this.#end = to;
  }

  /** A term at a byte of the text; bytes come in ascending order. Where two chunks overlap both count it. */
  count(position: number, term: number): void {
    while (position >= this.#current.end && this.#next.ordinal !== -1) this.#advance();
    if (position < this.#current.end && position >= this.#current.start) this.#current.add(term);
    if (this.#next.ordinal !== -1 && position >= this.#next.start) this.#next.add(term);
  }

  end(): void {
    while (this.#current.ordinal !== -1) this.#advance();
  }

  /** Visits the chunks that hold any term, ascending. */
  visit(chunk: ChunkVisitor): void {
    for (let at = 0; at < this.#used; ) {
      const length = this.#packed[at + 1] ?? 0;
      chunk(this.#packed[at] ?? 0, this.#packed, at + 2, at + 2 + length);
      at += 2 + length;
    }
  }

  #advance(): void {
    this.#pack(this.#current);
    const done = this.#current;
    this.#current = this.#next;
    this.#next = done;
    const following = this.#current.ordinal + 1;
    const more = this.#current.ordinal !== -1 && following < this.#end;
    if (this.#spans !== undefined) done.at(this.#spans, more ? following : -1);
  }

  #pack(tally: Tally): void {
    const needed = 2 + tally.touched.length;
    if (tally.touched.length === 0) return;
    if (this.#used + needed > this.#packed.length) {
      const grown = new Uint32Array(Math.max(this.#packed.length * 2, this.#used + needed));
      grown.set(this.#packed);
      this.#packed = grown;
    }
    this.#packed[this.#used] = tally.ordinal;
    this.#packed[this.#used + 1] = tally.touched.length;
    this.#used += 2;
    for (const term of tally.touched) {
      const count = Math.min(MAX_COUNT, tally.counts[term] ?? 0);
      this.#packed[this.#used] = ((term << 16) | count) >>> 0;
      this.#used += 1;
      this.documentFrequency[term] = (this.documentFrequency[term] ?? 0) + 1;
    }
  }
}

class Tally {
  ordinal = -1;
  start = 0;
  end = 0;
  readonly counts: Uint32Array;
  readonly touched: number[] = [];

  constructor(terms: number) {
    this.counts = new Uint32Array(terms);
  }

  at(spans: Spans, ordinal: number): void {
    for (const term of this.touched) this.counts[term] = 0;
    this.touched.length = 0;
    this.ordinal = ordinal;
    if (ordinal === -1) return;
    this.start = spans.start(ordinal);
    this.end = this.start + spans.length(ordinal);
  }

  add(term: number): void {
    const before = this.counts[term] ?? 0;
    if (before === 0) this.touched.push(term);
    this.counts[term] = before + 1;
  }
}
