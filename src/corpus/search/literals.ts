import { LITERALS_WASM } from './literals-wasm.ts';

/** Addresses in the module's memory: see literals.wat. */
const KEYS_OF_FOUR = 1024;
const KEYS_OF_THREE = 9216;
const TEXT = 65536;
/** Bytes before the text that the search may look at. */
const MARGIN = 16;
/** Bytes of text at a time; candidates of one piece always fit behind it. */
const TEXT_BYTES = 1 << 19;
const PIECE_BYTES = 1 << 16;
const CANDIDATES = TEXT + MARGIN + TEXT_BYTES + 4096;

declare global {
  /** The part of the WebAssembly API used here: Node has it, its type package leaves it out. */
  namespace WebAssembly {
    class Module {
      constructor(bytes: Uint8Array);
    }
    class Memory {
      readonly buffer: ArrayBuffer;
    }
    class Instance {
      readonly exports: Record<string, unknown>;
      constructor(module: Module, imports?: Record<string, Record<string, (...values: number[]) => number>>);
    }
  }
}

const compiled = new WebAssembly.Module(Buffer.from(LITERALS_WASM, 'base64'));

/**
 * Finds many byte patterns in one pass at about a gigabyte a second, in any case of their letters. What it
 * reports are candidates: the caller checks what is there.
 */
export class LiteralFinder {
  /** Where the text goes; the byte before it counts as a space. */
  readonly text: Buffer;
  readonly #memory: Uint8Array;
  readonly #find: (at: number, end: number, out: number, anywhere: number) => number;
  readonly #candidates: Uint32Array;
  readonly #anywhere: number;

  /**
   * @param patterns at least two bytes each in lower case; of a longer one the first four bytes count
   * @param options.insideWords also report them where no word begins
   */
  constructor(patterns: readonly string[], options: { insideWords: boolean }) {
    const { memory, find } = new WebAssembly.Instance(compiled).exports;
    if (!(memory instanceof WebAssembly.Memory) || typeof find !== 'function') {
      throw new Error('literals.wasm lacks its exports');
    }
    this.#memory = new Uint8Array(memory.buffer);
    this.#find = (at, end, out, anywhere) => Number(find(at, end, out, anywhere));
    this.#candidates = new Uint32Array(memory.buffer, CANDIDATES, PIECE_BYTES);
    this.text = Buffer.from(memory.buffer, TEXT + MARGIN, TEXT_BYTES);
    this.#anywhere = options.insideWords ? 1 : 0;
    this.#memory[TEXT + MARGIN - 1] = 0x20;
    // Like patterns share one of the eight bits of the tables: their bytes then cross with few others.
    const sorted = [...patterns].sort();
    for (const [index, pattern] of sorted.entries()) {
      this.#add(pattern, 1 << Math.floor((index * 8) / sorted.length));
    }
  }

  /** Reports the offsets below `length`, in a text of `filled` bytes, at which a pattern may begin, in order. */
  candidates(length: number, filled: number, report: (offset: number) => void): void {
    const begin = TEXT + MARGIN;
    // The search looks at whole groups of sixty-four: what an earlier text left behind must not be found.
    this.#memory.fill(0, begin + filled, begin + filled + 96);
    for (let from = 0; from < length; from += PIECE_BYTES) {
      const end = Math.min(length, from + PIECE_BYTES);
      const count = this.#find(begin + from, begin + end, CANDIDATES, this.#anywhere);
      for (let index = 0; index < count; index += 1) {
        const offset = (this.#candidates[index] ?? 0) - begin;
        if (offset < end) report(offset);
      }
    }
  }

  #add(pattern: string, bucket: number): void {
    const upper = pattern.toUpperCase();
    const capital = upper.slice(0, 1) + pattern.slice(1);
    for (const variant of new Set([pattern, upper, capital])) {
      const bytes = Buffer.from(variant);
      for (let place = 0; place < 3; place += 1) {
        for (const byte of place < bytes.length ? casesOf(bytes[place] ?? 0) : ANY_BYTE) {
          this.#table(place * 32 + (byte & 15), bucket);
          this.#table(place * 32 + 16 + (byte >> 4), bucket);
        }
      }
      const key = Buffer.from(bytes.subarray(0, 4).map((byte) => byte | 0x20));
      if (key.length === 4) this.#key(KEYS_OF_FOUR, key.readUInt32LE());
      else if (key.length === 3) this.#key(KEYS_OF_THREE, key.readUIntLE(0, 3));
      else
        for (const third of ANY_BYTE) this.#key(KEYS_OF_THREE, key.readUInt16LE() | ((third | 0x20) << 16));
    }
  }

  #table(address: number, bucket: number): void {
    this.#memory[address] = (this.#memory[address] ?? 0) | bucket;
  }

  #key(bitmap: number, key: number): void {
    const hash = Math.imul(key, 0x9e3779b1) >>> 16;
    const address = bitmap + (hash >> 3);
    this.#memory[address] = (this.#memory[address] ?? 0) | (1 << (hash & 7));
  }
}

const ANY_BYTE = Array.from({ length: 256 }, (_, byte) => byte);

/** A letter in both cases. Of a pattern in mixed case the variants hold the rest. */
function casesOf(byte: number): number[] {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a ? [lower, lower & ~0x20] : [byte];
}
