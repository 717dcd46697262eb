import type { SourceKind } from '../../contracts/index.ts';

/** How good a place the start of a line is to begin a chunk: higher is better. */
export type LineRank = (bytes: Buffer, at: number) => number;

/** At or above it a new section begins, into which no lines are carried over from the one before. */
export const SECTION_RANK = 4;

const NEWLINE = 0x0a;
const DEFINITION =
  /^(?:@\w|export\b|async\b|function\b|class\b|def\b|fn\b|pub\b|func\b|interface\b|type\b|struct\b|enum\b|impl\b|trait\b|mod\b|module\b|namespace\b|public\b|private\b|protected\b|static\b|const\b|let\b|var\b|package\b|CREATE\b|sub\b)/;

/** The rule of a kind: records are all alike, code has top-level definitions, prose has headings. */
export function rankOf(kind: SourceKind): LineRank {
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
