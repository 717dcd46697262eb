import { closeSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { systemCode } from '../errors.ts';
import { readAt } from '../files/index.ts';
import { sha256 } from '../text/index.ts';
import { BOLD_LEVEL, MarkdownReader, plainTitle, underlineLevel } from './markdown.ts';

/** Bytes of a report that are looked at for its sections: a narrative report is far below this. */
const LOOK_BYTES = 512 * 1024;
/** File times come from a clock that ticks every few milliseconds: a report may look that much too old. */
const CLOCK_TICK_MS = 20;

/** Size and time of a report, or undefined when there is none. Only a regular file is one. */
export function reportStat(path: string): Stats | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() ? stat : undefined;
}

/** Whether a report was written after a moment, such as its task's launch. */
export function writtenSince(stat: Stats, moment: number): boolean {
  return stat.mtimeMs + CLOCK_TICK_MS >= moment;
}

export type Acceptance =
  | { accepted: true; size_bytes: number; sha256: string }
  | { accepted: false; state: 'missing' | 'empty' | 'stale'; message: string };

/**
 * The acceptance of a map or verify task: its report exists, has content, and is newer than the launch.
 *
 * @param path absolute
 * @param launchedAt of the attempt, ISO 8601
 */
export function acceptReport(path: string, launchedAt: string): Acceptance {
  const stat = reportStat(path);
  if (stat === undefined) {
    return { accepted: false, state: 'missing', message: `the report was not written: ${path}` };
  }
  const bytes = readFileSync(path);
  if (isBlank(bytes)) return { accepted: false, state: 'empty', message: `the report is empty: ${path}` };
  if (!writtenSince(stat, Date.parse(launchedAt))) {
    return {
      accepted: false,
      state: 'stale',
      message: `the report was not touched since the launch: ${path}`,
    };
  }
  return {
    accepted: true,
    size_bytes: bytes.length,
    sha256: sha256(bytes),
  };
}

/** Nothing but white space. */
function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}

/** What is seen of a report without quoting it. */
export interface ReportLook {
  blank: boolean;
  /** It has a section "Contract Compliance". */
  contractCompliance: boolean;
}

/**
 * Looks at a report's first 512 kB.
 *
 * @param size of the file, in bytes
 * @returns undefined when it is gone: a draft is published at any moment
 */
export function lookAtReport(path: string, size: number): ReportLook | undefined {
  const bytes = readStart(path, size);
  if (bytes === undefined) return undefined;
  if (isBlank(bytes)) return { blank: true, contractCompliance: false };
  return { blank: false, contractCompliance: hasComplianceSection(bytes.toString('utf8')) };
}

/** Lines of a report's last section "Progress": one more says that a worker goes on. Not what they say. */
export function countProgressNotes(path: string): number {
  const stat = reportStat(path);
  if (stat === undefined) return 0;
  const text = readStart(path, stat.size)?.toString('utf8') ?? '';
  return /progress/i.test(text) ? linesBelow(text, /^progress\b/) : 0;
}

function readStart(path: string, size: number): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return readAt(fd, 0, Math.min(size, LOOK_BYTES));
  } finally {
    closeSync(fd);
  }
}

const COMPLIANCE = /contract compliance/i;
/** With the emphasis and wide spaces that a plain title has no more. */
const COMPLIANCE_ANYHOW = /contract[\s*_`]+compliance/i;
const COMPLIANCE_HEADING = /^#{1,6} contract compliance\s*$/im;

function hasComplianceSection(text: string): boolean {
  // Nearly every report says it in a plain heading and has no code block: 5,000 of them must not take long.
  if (!text.includes('```') && !text.includes('~~~') && COMPLIANCE_HEADING.test(text)) return true;
  return COMPLIANCE_ANYHOW.test(text) && titles(text).some((line) => COMPLIANCE.test(line.title));
}

function linesBelow(text: string, title: RegExp): number {
  const headings = titles(text);
  const at = headings.findLastIndex((heading) => title.test(heading.title));
  const start = headings[at];
  if (start === undefined) return 0;
  const end = headings.slice(at + 1).find((heading) => heading.level <= start.level);
  return text
    .split('\n')
    .slice(start.line, end === undefined ? undefined : end.line - 1)
    .filter((line) => line.trim() !== '' && !/^[-=]+$/.test(line.trim())).length;
}

interface Title {
  /** Plain. */
  title: string;
  level: number;
  /** Of the title itself, from 1; an underline is the next one. */
  line: number;
}

/** All headings of a text, bold lines among them. */
function titles(text: string): Title[] {
  const reader = new MarkdownReader();
  const found: Title[] = [];
  const add = (title: string, level: number, line: number) => {
    found.push({ title: plainTitle(title), level, line });
  };
  let previous = '';
  for (const [index, raw] of text.split('\n').entries()) {
    const line = reader.read(raw);
    const underline = previous === '' ? undefined : underlineLevel(line);
    if (underline !== undefined) add(previous, underline, index);
    else if (line.kind === 'heading') add(line.title, line.level, index + 1);
    else if (line.kind === 'bold') add(line.title, BOLD_LEVEL, index + 1);
    previous = line.kind === 'text' ? line.text : '';
  }
  return found;
}
