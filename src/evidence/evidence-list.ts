import type { EvidenceOrigin, VerifiedEvidence } from '../contracts/index.ts';
import { sha256 } from '../text/index.ts';
import type { LocatedSpan, QuoteMatch, SourceReader } from './quotes/index.ts';

/** A span found in a source, and what was said about it. */
export interface FoundEvidence extends LocatedSpan {
  source: string;
  match: QuoteMatch;
  edits: number;
  note: string;
  origin: EvidenceOrigin;
  confidence: number;
  /** Complete by itself: what it overlaps or adjoins is not joined to it. */
  whole?: boolean;
}

/** Verified evidence without its id and its location, which are added at the end. */
export type Item = Omit<VerifiedEvidence, 'evidence_id' | 'location'>;

/** Spans with so few bytes between them, and no word in those, become one, up to so many bytes together. */
const MAX_GAP_BYTES = 80;
const MAX_JOINED_BYTES = 1200;
const MAX_NOTES = 10;
const MAX_ORIGINS = 20;
const MATCHES: readonly QuoteMatch[] = ['exact', 'normalised', 'fuzzy'];

/**
 * The distinct spans found so far: equal, contained, overlapping and neighbouring ones of a source are one.
 * Memory is bounded: past twice `limit` only the `limit` most confident are kept.
 */
export class EvidenceList {
  readonly #limit: number;
  readonly #reader: SourceReader;
  readonly #bySource = new Map<string, Item[]>();
  #size = 0;
  #threshold = -1;
  merged = 0;
  dropped = 0;

  constructor(limit: number, reader: SourceReader) {
    this.#limit = limit;
    this.#reader = reader;
  }

  add(found: FoundEvidence): void {
    let items = this.#bySource.get(found.source);
    if (items === undefined) {
      items = [];
      this.#bySource.set(found.source, items);
    }
    const at = placeOf(items, found.byte_start);
    for (const index of [at - 1, at]) {
      const item = items[index];
      if (item !== undefined && this.#join(item, found)) {
        this.merged += 1;
        if (found.whole !== true) this.#absorbNeighbours(items, index);
        return;
      }
    }
    if (found.confidence <= this.#threshold) {
      this.dropped += 1;
      return;
    }
    items.splice(at, 0, itemOf(found));
    this.#size += 1;
    if (this.#size >= this.#limit * 2) this.#prune();
  }

  /** In the order of documents and places in them. */
  finish(): Item[] {
    if (this.#size > this.#limit) this.#prune();
    return [...this.#bySource].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, items]) => items);
  }

  /** Merges what was found into an item that it overlaps or adjoins; false when they stay two. */
  #join(item: Item, found: FoundEvidence | Item): boolean {
    const start = Math.min(item.byte_start, found.byte_start);
    const end = Math.max(item.byte_end, found.byte_end);
    const between = Math.max(item.byte_start, found.byte_start) - Math.min(item.byte_end, found.byte_end);
    if (between > MAX_GAP_BYTES) return false;
    const grows = start < item.byte_start || end > item.byte_end;
    if (grows && 'whole' in found && found.whole === true) return false;
    if (grows && (end - start > MAX_JOINED_BYTES || !this.#grow(item, found, start, end))) return false;
    absorb(item, found);
    return true;
  }

  /** Takes the words of the joined span from the source, if that still has both parts. */
  #grow(item: Item, found: LocatedSpan, start: number, end: number): boolean {
    let bytes: Uint8Array;
    try {
      bytes = this.#reader.read(item.source, start, end);
    } catch {
      return false;
    }
    const intact = [item, found].every(
      (part) => sha256(bytes.subarray(part.byte_start - start, part.byte_end - start)) === part.sha256,
    );
    if (!intact) return false;
    const gap = bytes.subarray(
      Math.min(item.byte_end, found.byte_end) - start,
      Math.max(item.byte_start, found.byte_start) - start,
    );
    if (/[\p{L}\p{N}]/u.test(Buffer.from(gap).toString())) return false;
    item.line_start = Math.min(item.line_start, found.line_start);
    item.line_end = Math.max(item.line_end, found.line_end);
    item.byte_start = start;
    item.byte_end = end;
    item.sha256 = sha256(bytes);
    item.quote = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    return true;
  }

  /** A span that grew may have reached the ones beside it. */
  #absorbNeighbours(items: Item[], index: number): void {
    const [before, item, after] = [items[index - 1], items[index], items[index + 1]];
    if (item === undefined) return;
    if (after !== undefined && this.#join(item, after)) {
      items.splice(index + 1, 1);
      this.#size -= 1;
    }
    if (before !== undefined && this.#join(before, item)) {
      items.splice(index, 1);
      this.#size -= 1;
    }
  }

  #prune(): void {
    const all = [...this.#bySource.values()].flat().sort((a, b) => b.confidence - a.confidence);
    const kept = new Set(all.slice(0, this.#limit));
    this.#threshold = all[this.#limit - 1]?.confidence ?? -1;
    this.dropped += all.length - kept.size;
    this.#size = kept.size;
    for (const [source, items] of this.#bySource) {
      const rest = items.filter((item) => kept.has(item));
      if (rest.length === 0) this.#bySource.delete(source);
      else this.#bySource.set(source, rest);
    }
  }
}

/** Index of the first item that starts at or behind a byte. */
function placeOf(items: Item[], byte: number): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.byte_start ?? 0) < byte) low = middle + 1;
    else high = middle;
  }
  return low;
}

function itemOf(found: FoundEvidence): Item {
  const { note, origin, whole: _, ...rest } = found;
  return { ...rest, notes: note === '' ? [] : [note], origins: [origin], more_origins: 0 };
}

function absorb(item: Item, found: FoundEvidence | Item): void {
  const notes = 'notes' in found ? found.notes : [found.note];
  const origins = 'origins' in found ? found.origins : [found.origin];
  for (const note of notes)
    if (note !== '' && item.notes.length < MAX_NOTES && !item.notes.includes(note)) item.notes.push(note);
  for (const origin of origins) {
    if (item.origins.some((known) => known.job_id === origin.job_id)) continue;
    if (item.origins.length < MAX_ORIGINS) item.origins.push(origin);
    else item.more_origins += 1;
  }
  if ('more_origins' in found) item.more_origins += found.more_origins;
  if (MATCHES.indexOf(found.match) < MATCHES.indexOf(item.match)) {
    item.match = found.match;
    item.edits = found.edits;
  }
  item.confidence = Math.max(item.confidence, found.confidence);
}
