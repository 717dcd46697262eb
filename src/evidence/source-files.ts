import { closeSync, openSync } from 'node:fs';
import { messageOf, RlmError } from '../errors.ts';
import { readAt } from '../files/index.ts';
import type { SourceReader } from './source-text.ts';

/** Files that are kept open between reads. */
const MAX_OPEN = 16;

/** Reads sources that are files, with a few kept open. */
export class SourceFiles implements SourceReader {
  readonly #pathOf: (source: string) => string | undefined;
  readonly #open = new Map<string, number>();

  /** @param pathOf the file that holds a source's text; undefined for a source that is not known */
  constructor(pathOf: (source: string) => string | undefined) {
    this.#pathOf = pathOf;
  }

  /** @throws RlmError `not_found` when the source is unknown or its file cannot be read */
  read(source: string, byteStart: number, byteEnd: number): Uint8Array {
    return readAt(this.#descriptor(source), byteStart, byteEnd - byteStart);
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  #descriptor(source: string): number {
    const known = this.#open.get(source);
    if (known !== undefined) return known;
    const path = this.#pathOf(source);
    if (path === undefined)
      throw new RlmError('not_found', `'${source}' is not a document of this run`, {
        hint: 'Name a source as the manifest does.',
      });
    const fd = openForReading(path, source);
    const oldest = this.#open.entries().next();
    if (this.#open.size >= MAX_OPEN && oldest.done !== true) {
      this.#open.delete(oldest.value[0]);
      closeSync(oldest.value[1]);
    }
    this.#open.set(source, fd);
    return fd;
  }
}

function openForReading(path: string, source: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw new RlmError('not_found', `cannot read '${source}': ${messageOf(error)}`, {
      hint: 'Put the document back where it was ingested from, or ingest again.',
      cause: error,
    });
  }
}
