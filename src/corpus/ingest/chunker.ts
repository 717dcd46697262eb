import type { SourceKind } from '../../contracts/index.ts';
import { countNewlines } from '../../text/index.ts';
import { ByteWindow, type TextSource } from './window.ts';

const NEWLINE = 0x0a;
const QUOTE = 0x22;
/** What a rank may look at beyond the bytes of a chunk. */
const LOOK_AHEAD = 16;

export interface ChunkPlan {
  kind: SourceKind;
  /** No chunk is larger, unless a target of a few bytes cannot hold one code point. */
  targetBytes: number;
  /** Lines that a chunk repeats from the one before, where that one was cut inside a section. */
  overlapLines: number;
}

/** A span of the text. `bytes` is a view that is valid until the next chunk is asked for. */
export interface ChunkSpan {
  start: number;
  end: number;
  /** From 1, end inclusive. */
  lineStart: number;
  lineEnd: number;
  bytes: Buffer;
}

/**
 * Cuts a text into chunks, with memory for a window of a few chunks only. A chunk ends where the structure
 * does best within the second half of its size: before a heading, a definition, after a blank line, at any
 * line; inside a line only when that line alone is larger than a chunk, and then at white space or at least
 * between code points. Rows of CSV that hold line breaks in quotes stay whole in the same way.
 */
export function* cutChunks(source: TextSource, plan: ChunkPlan): Generator<ChunkSpan> {
  const target = Math.max(8, plan.targetBytes);
  const window = new ByteWindow(source, target + LOOK_AHEAD);
  const rank = rankOf(plan.kind);
  // A record is whole by itself: nothing needs repeating.
  const overlapLines = plan.kind === 'csv' || plan.kind === 'jsonl' ? 0 : plan.overlapLines;
  let start = 0;
  let line = 1;
  /** Bytes at `start` that the chunk before has as well. */
  let carried = 0;
  while (start < source.size) {
    const left = source.size - start;
    const bytes = window.at(start, Math.min(left, target + LOOK_AHEAD));
    let length = left;
    let section = true;
    if (left > target) {
      const cut = plan.kind === 'csv' ? cutRecord(bytes, target) : cutLine(bytes, target, rank);
      if (carried > 0 && (cut === undefined || cut.length <= carried)) {
        // The next line does not fit behind the repeated ones: it goes without them.
        line += countNewlines(bytes.subarray(0, carried));
        start += carried;
        carried = 0;
        continue;
      }
      length = cut?.length ?? cutInsideLine(bytes, target);
      section = cut === undefined || cut.rank >= SECTION_RANK;
    }
    const chunk = bytes.subarray(0, length);
    const newlines = countNewlines(chunk);
    const lineEnd = line + newlines - (chunk[length - 1] === NEWLINE ? 1 : 0);
    yield { start, end: start + length, lineStart: line, lineEnd, bytes: chunk };
    carried = section ? 0 : overlapOf(chunk, overlapLines, target >> 3);
    line += newlines - (carried === 0 ? 0 : countNewlines(chunk.subarray(length - carried)));
    start += length - carried;
  }
}

/** The best line start in the second half, else the last one at all; undefined when there is none. */
function cutLine(
  bytes: Buffer,
  target: number,
  rank: LineRank,
): { length: number; rank: number } | undefined {
  let best: { length: number; rank: number } | undefined;
  for (let newline = bytes.lastIndexOf(NEWLINE, target - 1); newline !== -1; ) {
    const length = newline + 1;
    if (length < target >> 1) return best ?? { length, rank: 0 };
    const found = rank(bytes, length);
    if (best === undefined || found > best.rank) best = { length, rank: found };
    if (best.rank > SECTION_RANK) return best;
    newline = newline === 0 ? -1 : bytes.lastIndexOf(NEWLINE, newline - 1);
  }
  return best;
}

/** The last line end outside quotes (RFC 4180); a row that is too large is cut at a line end within it. */
function cutRecord(bytes: Buffer, target: number): { length: number; rank: number } | undefined {
  let quoted = false;
  let length = 0;
  for (let at = 0; at < target; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) quoted = !quoted;
    else if (byte === NEWLINE && !quoted) length = at + 1;
  }
  if (length === 0) length = bytes.lastIndexOf(NEWLINE, target - 1) + 1;
  return length === 0 ? undefined : { length, rank: 1 };
}

function cutInsideLine(bytes: Buffer, target: number): number {
  for (let at = target - 1; at >= target - (target >> 2); at -= 1) {
    if (bytes[at] === 0x20 || bytes[at] === 0x09) return at + 1;
  }
  let cut = target;
  while (cut > target - 3 && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut -= 1;
  return cut;
}

/** Bytes of the last few whole lines, none when they would be more than `limit`. */
function overlapOf(chunk: Buffer, lines: number, limit: number): number {
  let from = chunk.length;
  for (let line = 0; line < lines; line += 1) {
    if (from < 2) return 0;
    const newline = chunk.lastIndexOf(NEWLINE, from - 2);
    if (newline === -1 || chunk.length - newline - 1 > limit) break;
    from = newline + 1;
  }
  return chunk.length - from;
}

/** How good a place the start of a line is to begin a chunk: higher is better. */
type LineRank = (bytes: Buffer, at: number) => number;

/** At or above it a new section begins, into which no lines are carried over from the one before. */
const SECTION_RANK = 4;

const DEFINITION =
  /^(?:@\w|export\b|async\b|function\b|class\b|def\b|fn\b|pub\b|func\b|interface\b|type\b|struct\b|enum\b|impl\b|trait\b|mod\b|module\b|namespace\b|public\b|private\b|protected\b|static\b|const\b|let\b|var\b|package\b|CREATE\b|sub\b)/;

/** The rule of a kind: records are all alike, code has top-level definitions, prose has headings. */
function rankOf(kind: SourceKind): LineRank {
  if (kind === 'csv' || kind === 'jsonl') return () => 1;
  return kind === 'code' || kind === 'json' ? rankCode : rankProse;
}

function rankProse(bytes: Buffer, at: number): number {
  const first = bytes[at];
  if (first === 0x0c) return 6;
  if (first === 0x23) {
    let level = 1;
    while (level <= 6 && bytes[at + level] === 0x23) level += 1;
    if (level <= 6 && bytes[at + level] === 0x20) return level <= 2 ? 5 : SECTION_RANK;
  }
  return rankBlank(bytes, at);
}

function rankCode(bytes: Buffer, at: number): number {
  const rank = rankBlank(bytes, at);
  if (rank === 0 || rank === 2) return rank;
  const starts = DEFINITION.test(bytes.toString('latin1', at, at + 12));
  if (!starts) return rank;
  return rank === 3 ? SECTION_RANK : 3;
}

/** 3 after a blank line at the margin, 2 after a blank line indented, 1 at the margin, 0 inside a block. */
function rankBlank(bytes: Buffer, at: number): number {
  const before = bytes[at - 2] === 0x0d ? bytes[at - 3] : bytes[at - 2];
  const afterBlank = at >= 2 && before === NEWLINE;
  const first = bytes[at];
  const indented = first === 0x20 || first === 0x09 || first === 0x7d || first === 0x5d || first === NEWLINE;
  return (afterBlank ? 2 : 0) + (indented ? 0 : 1);
}
