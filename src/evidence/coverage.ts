import {
  type ChunkRecord,
  type CoverageBytes,
  type CoverageFile,
  SCHEMA_VERSION,
  type SourceRecord,
} from '../contracts/index.ts';
import { formatCount } from '../text/index.ts';

/** How a chunk's job ended; of several jobs over one chunk the best counts. */
export type ChunkReading = 'read' | 'failed' | 'never_sent';

type Rank = ChunkReading | 'prefiltered_out';
const RANKS: readonly Rank[] = ['read', 'failed', 'never_sent', 'prefiltered_out'];

interface SourceState {
  bytes: number;
  reason: string | null;
  ranges: Record<Rank, Intervals>;
}

/** Adds up which bytes of which documents were read. Memory grows with documents and with chunks that had jobs. */
export class CoverageCounter {
  readonly #results = new Map<string, ChunkReading>();
  readonly #sources = new Map<string, SourceState>();

  /** Records how a job over a chunk ended. All of these before the first `chunk`. */
  recordReading(chunkId: string, reading: ChunkReading): void {
    const known = this.#results.get(chunkId);
    if (known === undefined || RANKS.indexOf(reading) < RANKS.indexOf(known))
      this.#results.set(chunkId, reading);
  }

  /** One line of `chunks/sources.jsonl`. */
  source(record: SourceRecord): void {
    // The same bytes are there under another name: neither read twice nor skipped.
    if (record.status === 'skipped' && record.reason === 'duplicate') return;
    const state = this.#state(record.path);
    state.bytes = record.status === 'read' ? record.text_bytes : (record.bytes ?? 0);
    if (record.status === 'skipped') state.reason = record.reason;
  }

  /** One line of `chunks/manifest.jsonl`. */
  chunk(chunk: Pick<ChunkRecord, 'chunk_id' | 'source' | 'byte_start' | 'byte_end'>): void {
    const rank = this.#results.get(chunk.chunk_id) ?? 'prefiltered_out';
    this.#state(chunk.source).ranges[rank].add(chunk.byte_start, chunk.byte_end);
  }

  finish(): CoverageFile {
    const sources = [...this.#sources]
      .map(([source, state]) => ({ source, reason: state.reason, ...bytesOf(state) }))
      .sort((a, b) => (a.source < b.source ? -1 : 1));
    const sum = (key: keyof Omit<CoverageBytes, 'percent_read'>) =>
      sources.reduce((total, source) => total + source[key], 0);
    const [bytes, read] = [sum('bytes'), sum('read')];
    return {
      schema_version: SCHEMA_VERSION,
      total: {
        bytes,
        read,
        failed: sum('failed'),
        never_sent: sum('never_sent'),
        prefiltered_out: sum('prefiltered_out'),
        skipped: sum('skipped'),
        percent_read: bytes === 0 ? 0 : percent(read, bytes),
        sources: sources.length,
        sources_read_fully: sources.filter((source) => source.percent_read === 100).length,
        sources_skipped: sources.filter((source) => source.reason !== null).length,
      },
      sources,
    };
  }

  #state(source: string): SourceState {
    let state = this.#sources.get(source);
    if (state === undefined) {
      const ranges = {
        read: new Intervals(),
        failed: new Intervals(),
        never_sent: new Intervals(),
        prefiltered_out: new Intervals(),
      };
      state = { bytes: 0, reason: null, ranges };
      this.#sources.set(source, state);
    }
    return state;
  }
}

/** Whether every byte of every document was read: only then can "there is none" be said. */
export function isFullCoverage(coverage: CoverageFile): boolean {
  return coverage.total.percent_read === 100 && coverage.total.sources_skipped === 0;
}

/** Coverage in one sentence, with what became of the rest. */
export function describeCoverage(coverage: CoverageFile): string {
  const { total } = coverage;
  const rest = [
    [total.prefiltered_out, 'not chosen by the search'],
    [total.failed, 'in failed jobs'],
    [total.never_sent, 'never sent'],
    [total.skipped, 'skipped'],
  ] as const;
  const parts = rest.filter(([bytes]) => bytes > 0).map(([bytes, what]) => `${formatCount(bytes)} ${what}`);
  const skipped = total.sources_skipped === 0 ? '' : `; ${documents(total.sources_skipped)} skipped`;
  return (
    `${shareRead(total)} % of the bytes were read (${formatCount(total.read)} of ${formatCount(total.bytes)} ` +
    `in ${documents(total.sources)}${parts.length === 0 ? '' : `; ${parts.join(', ')}`}${skipped})`
  );
}

/** A small share of much is not nothing. */
function shareRead({ read, percent_read }: CoverageBytes): string {
  return read > 0 && percent_read === 0 ? 'Less than 0.1' : String(percent_read);
}

function documents(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'document' : 'documents'}`;
}

function bytesOf(state: SourceState): CoverageBytes {
  const union = new Intervals();
  const upTo: number[] = [];
  for (const rank of RANKS) {
    union.addAll(state.ranges[rank]);
    upTo.push(union.total);
  }
  const [read = 0, failed = 0, neverSent = 0, chunked = 0] = upTo;
  const bytes = Math.max(state.bytes, union.extent);
  return {
    bytes,
    read,
    failed: failed - read,
    never_sent: neverSent - failed,
    prefiltered_out: chunked - neverSent,
    skipped: bytes - chunked,
    // An empty document is read as soon as it is seen; one that was skipped is not.
    percent_read: bytes === 0 ? (state.reason === null ? 100 : 0) : percent(read, bytes),
  };
}

/** Rounded down to a tenth: 100 only when it is all. */
function percent(part: number, whole: number): number {
  return Math.floor((part / whole) * 1000) / 10;
}

/** A set of byte ranges, end exclusive; what overlaps counts once. Ranges that come in order cost no memory. */
class Intervals {
  #ranges: { start: number; end: number }[] = [];
  #ordered = true;

  add(start: number, end: number): void {
    if (end <= start) return;
    const last = this.#ranges.at(-1);
    if (last !== undefined && start >= last.start && start <= last.end) last.end = Math.max(last.end, end);
    else {
      if (last !== undefined && start < last.start) this.#ordered = false;
      this.#ranges.push({ start, end });
    }
  }

  addAll(other: Intervals): void {
    for (const { start, end } of other.#ranges) this.add(start, end);
  }

  /** Bytes in at least one range. */
  get total(): number {
    this.#sort();
    return this.#ranges.reduce((sum, range) => sum + range.end - range.start, 0);
  }

  /** The end of the last range; 0 when there is none. */
  get extent(): number {
    this.#sort();
    return this.#ranges.at(-1)?.end ?? 0;
  }

  #sort(): void {
    if (this.#ordered) return;
    const sorted = this.#ranges.sort((a, b) => a.start - b.start);
    this.#ranges = [];
    this.#ordered = true;
    for (const range of sorted) this.add(range.start, range.end);
  }
}
