import { RlmError } from '../errors.ts';
import { DEFAULT_MAX_LINE_BYTES } from './jsonl.ts';

const NEWLINE = 0x0a;

/**
 * Cuts a byte stream into lines, for streams that are not files (a pipe of a running process). It holds at
 * most one unfinished line.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #carried: Buffer[] = [];
  #carriedBytes = 0;

  constructor(maxLineBytes: number = DEFAULT_MAX_LINE_BYTES) {
    this.#maxLineBytes = maxLineBytes;
  }

  /**
   * The lines that `bytes` completes, without their ends.
   *
   * @throws RlmError `limit` when a line is longer than the cap; the splitter is of no use after that
   */
  push(bytes: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
      this.#carry(bytes.subarray(from, at));
      lines.push(Buffer.concat(this.#carried).toString('utf8'));
      this.#carried = [];
      this.#carriedBytes = 0;
      from = at + 1;
    }
    if (from < bytes.length) this.#carry(Buffer.from(bytes.subarray(from)));
    return lines;
  }

  #carry(part: Buffer): void {
    this.#carriedBytes += part.length;
    if (this.#carriedBytes > this.#maxLineBytes) {
      throw new RlmError('limit', `a line of the stream is longer than ${this.#maxLineBytes} bytes`);
    }
    this.#carried.push(part);
  }
}
