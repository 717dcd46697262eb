import { isAscii, isUtf8 } from 'node:buffer';
import { closeSync, openSync } from 'node:fs';
import type { SourceEncoding } from '../../contracts/index.ts';
import { FILE_MODE, writeAll } from '../../files/index.ts';

/** How much of a document decides what it is. */
export const HEAD_BYTES = 64 * 1024;

/** What the first bytes say: an encoding that is certain, UTF-8 that is still to be proved, or no text at all. */
export type HeadVerdict = 'utf-16le' | 'utf-16be' | 'utf-8?' | 'binary';

/**
 * Judges the first bytes of a document. UTF-16 is known by its byte order mark or by NULs that lie nearly all
 * on one side of each pair; any other NUL, or many control characters, means that it is no text.
 */
export function judgeHead(head: Buffer): HeadVerdict {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  let even = 0;
  let odd = 0;
  let controls = 0;
  for (let at = 0; at < head.length; at += 1) {
    const byte = head[at] ?? 0;
    if (byte === 0) {
      if (at % 2 === 0) even += 1;
      else odd += 1;
    } else if (byte < 0x20 && (byte < 0x08 || byte > 0x0d) && byte !== 0x1b) controls += 1;
  }
  if (controls > head.length * 0.02) return 'binary';
  const pairs = head.length / 2;
  if (odd > pairs * 0.4 && even < pairs * 0.05) return 'utf-16le';
  if (even > pairs * 0.4 && odd < pairs * 0.05) return 'utf-16be';
  if (even + odd > 0) return 'binary';
  return 'utf-8?';
}

/** Counts what is valid and invalid in a stream of blocks, so that the right fallback can be chosen. */
export class Utf8Check {
  #carried: Buffer = Buffer.alloc(0);
  /** Multi-byte characters that were well formed: a sample of the first whole block with any, and blocks with damage. */
  valid = 0;
  /** Sequences that were not. */
  invalid = 0;

  push(block: Buffer, last: boolean): void {
    const bytes = this.#carried.length > 0 ? Buffer.concat([this.#carried, block]) : block;
    const end = last ? bytes.length : bytes.length - incompleteTail(bytes);
    const whole = bytes.subarray(0, end);
    this.#carried = Buffer.from(bytes.subarray(end));
    if (isUtf8(whole)) {
      // A sample of one block is enough to tell text in UTF-8 with slips from text in another encoding.
      if (this.valid === 0 && !isAscii(whole)) this.valid = countLeads(whole.subarray(0, HEAD_BYTES)) || 1;
      return;
    }
    const text = whole.toString('utf8');
    for (const character of text) {
      if (character === '\ufffd') this.invalid += 1;
      else if (character > '\x7f') this.valid += 1;
    }
    // A document may hold U+FFFD itself, but this block held something else that was wrong.
    if (this.invalid === 0) this.invalid = 1;
  }

  get encoding(): Extract<SourceEncoding, 'utf-8' | 'utf-8-repaired' | 'windows-1252'> {
    if (this.invalid === 0) return 'utf-8';
    return this.valid > this.invalid ? 'utf-8-repaired' : 'windows-1252';
  }
}

/** How many characters of more than one byte valid UTF-8 holds: each has one byte that leads it. */
function countLeads(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) if ((bytes[at] ?? 0) >= 0xc0) count += 1;
  return count;
}

/** Bytes at the end that begin a character which the block does not finish: 0 to 3. */
function incompleteTail(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}

/** Writes a document of another encoding as UTF-8, block by block; returns how many bytes it became. */
export function transcode(blocks: Iterable<Buffer>, encoding: SourceEncoding, path: string): number {
  const decoder = new TextDecoder(encoding === 'utf-8-repaired' ? 'utf-8' : encoding);
  const fd = openSync(path, 'w', FILE_MODE);
  let bytes = 0;
  const write = (text: string) => {
    const buffer = Buffer.from(text);
    writeAll(fd, buffer);
    bytes += buffer.length;
  };
  try {
    for (const block of blocks) write(decoder.decode(block, { stream: true }));
    write(decoder.decode());
  } finally {
    closeSync(fd);
  }
  return bytes;
}
