import { closeSync, openSync } from 'node:fs';
import type { ReadSource } from '../../contracts/index.ts';
import { messageOf } from '../../errors.ts';
import { readInto } from '../../files/index.ts';
import { type Corpus, textFile } from '../corpus.ts';

/** A source's text and its chunks, for a pass over the corpus. */
export interface OpenText {
  fd: number;
  size: number;
  /** Ordinals of its chunks: first, and one after the last. */
  firstChunk: number;
  endChunk: number;
  source: ReadSource;
}

/** Opens the texts of a corpus one after the other; what can no longer be opened is noted. */
export function* openTexts(corpus: Corpus, notes: string[]): Generator<OpenText> {
  let chunk = 0;
  for (const source of corpus.sources) {
    if (source.status !== 'read' || source.chunks === 0) continue;
    const firstChunk = chunk;
    chunk += source.chunks;
    let fd: number;
    try {
      fd = openSync(textFile(corpus, source), 'r');
    } catch (error) {
      notes.push(`not searched: ${source.path} (${messageOf(error)})`);
      continue;
    }
    try {
      yield { fd, size: source.text_bytes, firstChunk, endChunk: chunk, source };
    } finally {
      closeSync(fd);
    }
  }
}

/** Reads into `buffer` from `offset` until it is full or the text ends; returns how many bytes came. */
export function fill(
  text: { fd: number; size: number },
  buffer: Buffer,
  offset: number,
  position: number,
): number {
  const wanted = Math.min(buffer.length - offset, text.size - position);
  return readInto(text.fd, buffer, offset, wanted, position);
}
