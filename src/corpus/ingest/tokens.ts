import { estimateTokenCount } from 'tokenx';

const SAMPLE_BYTES = 2048;
const SAMPLE_EVERY = 128 * 1024;

/**
 * Tokens a byte of a text, measured on samples: estimating every byte would take 16 MB/s (DEPENDENCIES.md),
 * many times what hashing takes.
 */
export class TokenRate {
  #bytes = 0;
  #tokens = 0;

  /** Takes 2 kB of each 128 kB of a block. */
  sample(block: Buffer): void {
    for (let at = 0; at < block.length; at += SAMPLE_EVERY) {
      const piece = block.subarray(at, at + SAMPLE_BYTES);
      this.#bytes += piece.length;
      this.#tokens += estimateTokenCount(piece.toString('utf8'));
    }
  }

  /** Between 1/16 and 1 token a byte: a run of one repeated character tells nothing about what follows. */
  get perByte(): number {
    if (this.#bytes === 0) return 0.25;
    return Math.min(1, Math.max(1 / 16, this.#tokens / this.#bytes));
  }
}
