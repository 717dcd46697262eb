import { entriesOf, type IndexEntry, IndexWriter } from './index-file.ts';

/**
 * Joins indexes of stretches that follow each other into one of the whole: a term is then looked up once, however
 * many stretches there were.
 */
export async function mergeIndexes(
  parts: readonly string[],
  target: string,
  options: { chunks: number; breathe: () => Promise<void> | undefined },
): Promise<void> {
  const streams = parts.map(entriesOf);
  const writer = new IndexWriter(target);
  try {
    const heads = streams.map((stream) => stream.next());
    for (let terms = 0; ; terms += 1) {
      let first: string | undefined;
      for (const { value } of heads) {
        if (value !== undefined && (first === undefined || value.term < first)) first = value.term;
      }
      if (first === undefined) break;
      const joined = new Joined(first);
      for (const [index, head] of heads.entries()) {
        if (head.value?.term !== first) continue;
        joined.append(head.value);
        const next = streams[index]?.next();
        if (next !== undefined) heads[index] = next;
      }
      writer.add(joined.entry());
      if (terms % 256 === 0) await options.breathe();
    }
    writer.finish(options.chunks);
  } finally {
    writer.close();
    for (const stream of streams) stream.return(undefined);
  }
}

/** One term's lists, one behind the other. */
class Joined {
  readonly #term: string;
  readonly #postings: Uint8Array[] = [];
  #chunks = 0;
  #last = 0;

  constructor(term: string) {
    this.#term = term;
  }

  /** The first posting of a list counts from 0: it is written anew, as the distance from the last chunk before. */
  append({ chunks, last, postings }: IndexEntry): void {
    let rest = postings;
    if (this.#chunks > 0) {
      const { value, length } = readNumber(postings);
      this.#postings.push(writeNumber(value - this.#last * 2));
      rest = postings.subarray(length);
    }
    // A copy: the entry lies in a window that moves on.
    this.#postings.push(Uint8Array.from(rest));
    this.#chunks += chunks;
    this.#last = last;
  }

  entry(): IndexEntry {
    const postings = Buffer.concat(this.#postings);
    return { term: this.#term, chunks: this.#chunks, last: this.#last, postings };
  }
}

function readNumber(bytes: Uint8Array): { value: number; length: number } {
  let value = 0;
  let length = 0;
  for (;;) {
    const byte = bytes[length] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * length);
    length += 1;
    if (byte < 0x80) return { value, length };
  }
}

function writeNumber(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
