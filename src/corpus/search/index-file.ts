import { closeSync, fstatSync, fsyncSync, openSync } from 'node:fs';
import { FILE_MODE, readAt, writeAll } from '../../files/index.ts';
import type { PostingList } from './posting-lists.ts';

/*
 * A file of posting lists, terms in ascending order (of UTF-16 units): blocks of whole entries, then a directory of
 * the blocks, then a tail of fixed size. An entry is four numbers of 32 bits, the bytes of the term, the chunks that
 * hold it, the last of them, the bytes of its postings, and then term and postings. The directory has the place of
 * each block, where its first term ends in the text of all first terms, and that text.
 */
const MAGIC = 0x524c4d33;
const ENTRY_BYTES = 16;
const TAIL_BYTES = 24;
/** A block ends at the first entry past it; a term is found by reading one block. */
const BLOCK_BYTES = 8192;
const WRITE_BYTES = 1 << 20;
const READ_BYTES = 1 << 18;

export interface IndexEntry extends PostingList {
  term: string;
}

/** Writes an index under a name of its own; it is one only after `finish`. */
export class IndexWriter {
  readonly #fd: number;
  readonly #pending = Buffer.allocUnsafe(WRITE_BYTES);
  #filled = 0;
  #written = 0;
  #blockStart = -1;
  #starts: number[] = [];
  #firstTerms: Buffer[] = [];

  constructor(path: string) {
    this.#fd = openSync(path, 'wx', FILE_MODE);
  }

  /** Adds a term; terms come in ascending order. */
  add({ term, chunks, last, postings }: IndexEntry): void {
    const name = Buffer.from(term);
    const at = this.#written + this.#filled;
    if (this.#blockStart === -1 || at - this.#blockStart >= BLOCK_BYTES) {
      this.#blockStart = at;
      this.#starts.push(at);
      this.#firstTerms.push(name);
    }
    const head = Buffer.allocUnsafe(ENTRY_BYTES);
    head.writeUInt32LE(name.length, 0);
    head.writeUInt32LE(chunks, 4);
    head.writeUInt32LE(last, 8);
    head.writeUInt32LE(postings.length, 12);
    this.#write(head);
    this.#write(name);
    this.#write(postings);
    // A long list is read for its own term alone.
    if (postings.length >= BLOCK_BYTES) this.#blockStart = -1;
  }

  /** Writes the directory and the tail, and forces all of it to the disk. */
  finish(chunks: number): void {
    const blocks = this.#starts.length;
    const directory = Buffer.alloc(blocks * 12);
    let end = 0;
    for (const [block, start] of this.#starts.entries()) {
      directory.writeDoubleLE(start, block * 8);
      end += this.#firstTerms[block]?.length ?? 0;
      directory.writeUInt32LE(end, blocks * 8 + block * 4);
    }
    const tail = Buffer.alloc(TAIL_BYTES);
    tail.writeDoubleLE(this.#written + this.#filled, 0);
    tail.writeUInt32LE(blocks, 8);
    tail.writeUInt32LE(end, 12);
    tail.writeUInt32LE(chunks, 16);
    tail.writeUInt32LE(MAGIC, 20);
    this.#write(directory);
    for (const term of this.#firstTerms) this.#write(term);
    this.#write(tail);
    this.#flush();
    fsyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const length = Math.min(bytes.length - from, WRITE_BYTES - this.#filled);
      this.#pending.set(bytes.subarray(from, from + length), this.#filled);
      this.#filled += length;
      from += length;
      if (this.#filled === WRITE_BYTES) this.#flush();
    }
  }

  #flush(): void {
    writeAll(this.#fd, this.#pending.subarray(0, this.#filled));
    this.#written += this.#filled;
    this.#filled = 0;
  }
}

/** An index, open for looking terms up. */
export class IndexFile {
  readonly #fd: number;
  readonly #blocks: number;
  readonly #directory: Buffer;
  /** Where the blocks end. */
  readonly #end: number;

  private constructor(fd: number, blocks: number, directory: Buffer, end: number) {
    this.#fd = fd;
    this.#blocks = blocks;
    this.#directory = directory;
    this.#end = end;
  }

  /** Undefined for what is not a whole index of so many chunks. @throws when there is no such file */
  static open(path: string, chunks: number): IndexFile | undefined {
    const fd = openSync(path, 'r');
    const { size } = fstatSync(fd);
    const tail = readAt(fd, Math.max(0, size - TAIL_BYTES), TAIL_BYTES);
    if (tail.length === TAIL_BYTES && tail.readUInt32LE(20) === MAGIC && tail.readUInt32LE(16) === chunks) {
      const end = tail.readDoubleLE(0);
      const blocks = tail.readUInt32LE(8);
      const bytes = blocks * 12 + tail.readUInt32LE(12);
      if (end + bytes + TAIL_BYTES === size) return new IndexFile(fd, blocks, readAt(fd, end, bytes), end);
    }
    closeSync(fd);
    return undefined;
  }

  close(): void {
    closeSync(this.#fd);
  }

  find(term: string): PostingList | undefined {
    let low = 0;
    let high = this.#blocks;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#firstTerm(middle) <= term) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return undefined;
    const start = this.#start(low - 1);
    const block = readAt(this.#fd, start, this.#start(low) - start);
    const wanted = Buffer.from(term);
    for (let at = 0; at + ENTRY_BYTES <= block.length; ) {
      const entry = entryAt(block, at);
      if (entry.name.equals(wanted)) return entry;
      at = entry.end;
    }
    return undefined;
  }

  #start(block: number): number {
    return block === this.#blocks ? this.#end : this.#directory.readDoubleLE(block * 8);
  }

  #firstTerm(block: number): string {
    const ends = this.#blocks * 8;
    const from = block === 0 ? 0 : this.#directory.readUInt32LE(ends + (block - 1) * 4);
    const to = this.#directory.readUInt32LE(ends + block * 4);
    return this.#directory.toString('utf8', this.#blocks * 12 + from, this.#blocks * 12 + to);
  }
}

/** The entries of an index in order, each valid until the next is asked for; memory for a window of it only. */
export function* entriesOf(path: string): Generator<IndexEntry> {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const end = readAt(fd, size - TAIL_BYTES, TAIL_BYTES).readDoubleLE(0);
    let window: Buffer = Buffer.alloc(0);
    let at = 0;
    for (let start = 0; start + at < end; ) {
      const needed = window.length - at < ENTRY_BYTES ? READ_BYTES : lengthOf(window, at);
      if (window.length - at < needed) {
        start += at;
        window = readAt(fd, start, Math.min(Math.max(READ_BYTES, needed), end - start));
        at = 0;
        continue;
      }
      const { name, chunks, last, postings, end: next } = entryAt(window, at);
      yield { term: name.toString('utf8'), chunks, last, postings };
      at = next;
    }
  } finally {
    closeSync(fd);
  }
}

function lengthOf(bytes: Buffer, at: number): number {
  return ENTRY_BYTES + bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 12);
}

function entryAt(bytes: Buffer, at: number): PostingList & { name: Buffer; end: number } {
  const postings = at + ENTRY_BYTES + bytes.readUInt32LE(at);
  const end = at + lengthOf(bytes, at);
  return {
    name: bytes.subarray(at + ENTRY_BYTES, postings),
    chunks: bytes.readUInt32LE(at + 4),
    last: bytes.readUInt32LE(at + 8),
    postings: bytes.subarray(postings, end),
    end,
  };
}
