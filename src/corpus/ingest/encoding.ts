import { isAscii, isUtf8 } from 'node:buffer';
import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import type { SourceEncoding } from '../../contracts/index.ts';
import { FILE_MODE, temporaryName, writeAll } from '../../files/index.ts';

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
  #sample: Buffer | undefined;
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
    if (this.#sample === undefined) {
      const first = whole.findIndex((byte) => byte >= 0x80);
      this.#sample = Buffer.from(whole.subarray(first, first + HEAD_BYTES));
    }
    const text = whole.toString('utf8');
    for (const character of text) {
      if (character === '\ufffd') this.invalid += 1;
      else if (character > '\x7f') this.valid += 1;
    }
    // A document may hold U+FFFD itself, but this block held something else that was wrong.
    if (this.invalid === 0) this.invalid = 1;
  }

  /** The encoding of all that was pushed. */
  async encoding(): Promise<SourceEncoding> {
    if (this.#sample === undefined) return 'utf-8';
    return this.valid > this.invalid ? 'utf-8-repaired' : detectLegacyEncoding(this.#sample);
  }
}

/** What a detector calls an encoding of two bytes a character, and what a decoder does. */
const TWO_BYTE = new Map<string, SourceEncoding>([
  ['GB18030', 'gb18030'],
  ['Big5', 'big5'],
  ['Shift_JIS', 'shift_jis'],
  ['EUC-JP', 'euc-jp'],
  ['EUC-KR', 'euc-kr'],
]);
const CYRILLIC = new Map<string, SourceEncoding>([
  ['windows-1251', 'windows-1251'],
  ['KOI8-R', 'koi8-r'],
]);
/** The detector gives 10 where nothing speaks against an encoding, and more only for characters that are frequent in it. */
const CONFIDENT = 40;
/** Share of letters beyond ASCII that follow one another: an alphabet of its own, not accents. */
const OWN_ALPHABET = 0.7;

/**
 * The encoding of text that is not UTF-8: one of East Asia or Cyrillic where its characters are frequent ones
 * there, else Windows-1252.
 *
 * @param sample begins with the first byte that is not ASCII
 */
export async function detectLegacyEncoding(sample: Buffer): Promise<SourceEncoding> {
  // A CommonJS package: bundled, it has a default export only.
  const { default: chardet } = await import('chardet');
  // English around a few foreign words would be taken for the language of the whole.
  const foreign = sample.filter((byte, at) => byte >= 0x80 || (sample[at - 1] ?? 0) >= 0x80);
  for (const { name, confidence } of chardet.analyse(foreign)) {
    const encoding = TWO_BYTE.get(name);
    if (encoding !== undefined && confidence >= CONFIDENT && decodesAs(encoding, sample)) return encoding;
  }
  const letters = sample.filter((byte) => byte >= 0xa0);
  const following = sample.filter((byte, at) => byte >= 0xa0 && (sample[at - 1] ?? 0) >= 0xa0);
  const [best] = chardet.analyse(foreign);
  const cyrillic =
    following.length >= letters.length * OWN_ALPHABET ? CYRILLIC.get(best?.name ?? '') : undefined;
  return cyrillic ?? 'windows-1252';
}

/** Whether a text is valid in an encoding; its last character may be cut. */
function decodesAs(encoding: SourceEncoding, text: Buffer): boolean {
  try {
    new TextDecoder(encoding, { fatal: true }).decode(text, { stream: true });
    return true;
  } catch {
    return false;
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

/** 0x80 to 0x9f in Windows-1252; what is not assigned is a control character, as in the Encoding Standard. */
const WINDOWS_1252 = [...'€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ'];

/**
 * Decodes a text block by block; called without a block at its end.
 *
 * @param label of the Encoding Standard
 * @throws RangeError for an unknown label, TypeError for bytes that `fatal` does not allow
 */
export function decoderOf(label: string, options: { fatal?: boolean } = {}): (block?: Buffer) => string {
  const decoder = new TextDecoder(label, options);
  if (decoder.encoding !== 'windows-1252')
    return (block) => decoder.decode(block, { stream: block !== undefined });
  // Node 20 to 23 decode it as Latin-1: https://github.com/nodejs/node/issues/56542
  return (block) =>
    (block?.toString('latin1') ?? '').replace(
      /[\x80-\x9f]/g,
      (character) => WINDOWS_1252[character.charCodeAt(0) - 0x80] ?? character,
    );
}

/**
 * Writes a document of another encoding as UTF-8, block by block; returns how many bytes it became. The file is put
 * in place when it is whole: an earlier ingest may have one of that name in use.
 */
export async function transcode(
  blocks: Iterable<Buffer>,
  encoding: SourceEncoding,
  path: string,
  yieldIfDue: () => Promise<void> | undefined,
): Promise<number> {
  const decode = decoderOf(encoding === 'utf-8-repaired' ? 'utf-8' : encoding);
  const temporary = temporaryName(path);
  const fd = openSync(temporary, 'wx', FILE_MODE);
  let bytes = 0;
  const write = (text: string) => {
    const buffer = Buffer.from(text);
    writeAll(fd, buffer);
    bytes += buffer.length;
  };
  try {
    for (const block of blocks) {
      write(decode(block));
      await yieldIfDue();
    }
    write(decode());
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  return bytes;
}
