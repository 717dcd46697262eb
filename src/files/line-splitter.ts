import { RlmError } from '../errors.ts';
import { DEFAULT_MAX_LINE_BYTES } from './jsonl.ts';

const NEWLINE = 0x0a;

/**
 * Cuts a byte stream into lines, for streams that are not files (a pipe of a running process). It holds at
 * most one unfinished line.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #onTooLong: (error: RlmError) => void;
  #carried: Buffer[] = [];
  #carriedBytes = 0;

  /** @param onTooLong told, once, of a line beyond the cap, which is then left out; by default that is thrown */
  constructor(
    maxLineBytes: number = DEFAULT_MAX_LINE_BYTES,
    onTooLong: (error: RlmError) => void = (error) => {
      throw error;
    },
  ) {
    this.#maxLineBytes = maxLineBytes;
    this.#onTooLong = onTooLong;
  }

  /**
   * The lines that `bytes` completes, without their ends.
   *
   * @throws RlmError `limit` when a line is longer than the cap and nobody else is told; the splitter is of no use
   *   after that
   */
  push(bytes: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
      this.#carry(bytes.subarray(from, at));
      if (this.#carriedBytes <= this.#maxLineBytes) lines.push(Buffer.concat(this.#carried).toString('utf8'));
      this.#carried = [];
      this.#carriedBytes = 0;
      from = at + 1;
    }
    if (from < bytes.length) this.#carry(Buffer.from(bytes.subarray(from)));
    return lines;
  }

  #carry(part: Buffer): void {
    const before = this.#carriedBytes;
    this.#carriedBytes += part.length;
    if (this.#carriedBytes <= this.#maxLineBytes) {
      this.#carried.push(part);
      return;
    }
    this.#carried = [];
    if (before > this.#maxLineBytes) return;
    this.#onTooLong(new RlmError('limit', `a line of the stream is longer than ${this.#maxLineBytes} bytes`));
  }
}
