import { closeSync, openSync, type Stats, statSync } from 'node:fs';
import type { TaskMode, Verdict } from '../contracts/index.ts';
import type { LeftFile } from '../dispatch/index.ts';
import { systemCode } from '../errors.ts';
import { readAt } from '../files/index.ts';

/** Bytes of a report that are searched for what it must say: a narrative report is far below this. */
const INSPECTED_BYTES = 512 * 1024;
/** Largest report that is read whole, in bytes. */
export const MAX_REPORT_BYTES = 16 * 1024 * 1024;
/** File times come from a clock that ticks every few milliseconds: a report may look that much too old. */
const CLOCK_TICK_MS = 20;

/** Size and time of a report, or undefined when there is none. Only a regular file is one. */
export function reportStat(path: string): Stats | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() ? stat : undefined;
}

/** Whether a report was written after a moment, such as its task's launch. */
export function writtenSince(modifiedMs: number, moment: number): boolean {
  return modifiedMs + CLOCK_TICK_MS >= moment;
}

/** Why a report is not accepted. `correctable`: only its form is wrong. */
export interface ReportProblem {
  message: string;
  correctable: boolean;
}

/**
 * What keeps a report from being accepted: it must be there, have content, be newer than its task's launch, and say
 * what a report of its kind must say.
 *
 * @param launchedAt milliseconds since 1970
 * @returns undefined for one that will do
 */
export function judgeReport(
  report: LeftFile | undefined,
  launchedAt: number,
  mode: TaskMode,
): ReportProblem | undefined {
  const wrong = (message: string) => ({ message, correctable: false });
  if (report === undefined) return wrong('the report was not written');
  if (isBlank(report.bytes)) return wrong('the report is empty');
  if (!writtenSince(report.modifiedMs, launchedAt))
    return wrong('the report was not touched since the launch');
  const message = findMissingPart(report.bytes, mode);
  return message === undefined ? undefined : { message, correctable: true };
}

/** What a report lacks of what each must say; undefined when nothing. */
export function findMissingPart(bytes: Uint8Array, mode: TaskMode): string | undefined {
  const text = textOf(bytes);
  if (!hasComplianceSection(text)) return 'the report has no section "Contract Compliance"';
  if (mode !== 'verify' || verdictIn(text) !== undefined) return undefined;
  return 'the report has no line "Verdict: confirmed", "Verdict: refuted" or "Verdict: undecided"';
}

/** The verdict of a verify report. Of several the least favourable counts. */
export function readVerdict(bytes: Uint8Array): Verdict | undefined {
  return verdictIn(textOf(bytes));
}

function verdictIn(text: string): Verdict | undefined {
  const said = new Set<string | undefined>();
  for (const line of linesOutsideCode(text)) said.add(VERDICT.exec(line)?.[1]?.toLowerCase());
  return (['refuted', 'undecided', 'confirmed'] as const).find((verdict) => said.has(verdict));
}

/** Not the line of a template, which names all three. */
const VERDICT = /^[\s*_#-]*verdict[\s*_]*:[\s*_`]*(confirmed|refuted|undecided)\b(?!\s*[|/])/i;

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, INSPECTED_BYTES)).toString(
    'utf8',
  );
}

/** Nothing but white space. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}

/** Lines of a report's last section "Progress": one more says that a worker goes on. Not what they say. */
export function countProgressNotes(path: string): number {
  const stat = reportStat(path);
  if (stat === undefined) return 0;
  const text = readStart(path, stat.size)?.toString('utf8') ?? '';
  if (!/progress/i.test(text)) return 0;
  const section = readSections(text, (title) => /^progress\b/.test(title)).at(-1);
  return (section?.body ?? '').split('\n').filter((line) => line.trim() !== '').length;
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
    return readAt(fd, 0, Math.min(size, INSPECTED_BYTES));
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
  return COMPLIANCE_ANYHOW.test(text) && readSections(text, (title) => COMPLIANCE.test(title)).length > 0;
}

/** A section of a report: the text under a heading, up to the next one of its level or above. */
export interface Section {
  /** Of its heading, from 1. */
  line: number;
  /**
   * The lines below the heading, out of quotes; the heading's own lines come first, empty but for the text that
   * follows a bold title: so line n of the body is line n + `line` - 1 of the report.
   */
  body: string;
}

interface Heading {
  /** 1 to 6; 7 for a line that is a title by being bold or by its colon, 8 and more for a bold list entry. */
  level: number;
  /** As `plainTitle` makes it. */
  title: string;
  /** What follows a bold title on its line. */
  rest: string;
  /** Index of its first line, and of the first after it. */
  at: number;
  after: number;
}

const TITLE_LINE = 7;
const TITLE_ENTRY = 8;

/**
 * Finds sections of a Markdown report by their titles. Code blocks have none. A title may also be a bold line, a line
 * that ends in a colon, or a bold list entry: agents write all of these.
 *
 * @param wanted whether a title, as `plainTitle` makes it, is that of a section to be found
 * @param isLabel whether a bold line within a section is one of its labels, and does not end it
 */
export function readSections(
  text: string,
  wanted: (title: string) => boolean,
  isLabel: (title: string) => boolean = () => false,
): Section[] {
  const lines = text.split('\n').map(unquote);
  const headings = readHeadings(lines);
  return headings.flatMap((heading, index) => {
    if (!wanted(heading.title)) return [];
    const next = headings.slice(index + 1).find((other) => {
      if (other.level > heading.level || heading.level >= TITLE_ENTRY) return false;
      return other.level < TITLE_LINE || (other.rest === '' && !isLabel(other.title));
    });
    const end = heading.level >= TITLE_ENTRY ? endOfEntry(lines, heading) : (next?.at ?? lines.length);
    const own = [heading.rest, ...Array.from({ length: heading.after - heading.at - 1 }, () => '')];
    return [{ line: heading.at + 1, body: [...own, ...dedent(lines.slice(heading.after, end))].join('\n') }];
  });
}

/** A title as it is compared: lower case, without numbering, emphasis, emoji, punctuation around it. */
export function plainTitle(title: string): string {
  return title
    .toLowerCase()
    .replace(/[*_`]/g, '')
    .replace(/^[^\p{L}]+/u, '')
    .replace(/[^\p{L})]+$/u, '')
    .replace(/\s+/g, ' ');
}

/** The lines of a text; those of code blocks are undefined. */
function markCode(lines: readonly string[]): (string | undefined)[] {
  let fence: string | undefined;
  return lines.map((line) => {
    const mark = FENCE.exec(line);
    if (fence !== undefined) {
      if (mark?.[1]?.startsWith(fence) && mark[2]?.trim() === '') fence = undefined;
      return undefined;
    }
    // Backticks after the mark make it inline code.
    if (mark === null || (mark[1]?.startsWith('`') && mark[2]?.includes('`'))) return line;
    fence = mark[1];
    return undefined;
  });
}

function linesOutsideCode(text: string): string[] {
  return markCode(text.split('\n')).filter((line) => line !== undefined);
}

function readHeadings(lines: readonly string[]): Heading[] {
  const headings: Heading[] = [];
  let paragraph = false;
  for (const [at, line] of markCode(lines).entries()) {
    if (line === undefined) {
      paragraph = false;
      continue;
    }
    const previous = lines[at - 1] ?? '';
    const found = headingOf(line, paragraph ? previous : '');
    if (found !== undefined) headings.push({ ...found, at: found.underlined ? at - 1 : at, after: at + 1 });
    paragraph = found === undefined && line.trim() !== '' && !/^ {0,3}[-=|>]/.test(line);
  }
  return headings;
}

const FENCE = /^\s*(?:[-*+]\s+|\d+[.)]\s+)?(`{3,}|~{3,})(.*)$/;

/** @param above the line before, when that is text of a paragraph */
function headingOf(
  line: string,
  above: string,
): (Pick<Heading, 'level' | 'title' | 'rest'> & { underlined?: boolean }) | undefined {
  const start = line.trimStart();
  const indent = line.length - start.length;
  switch (indent > 3 ? '' : start.charAt(0)) {
    case '#': {
      const heading = /^(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?\s*$/.exec(start);
      if (heading === null) break;
      return { level: heading[1]?.length ?? 1, title: plainTitle(heading[2] ?? ''), rest: '' };
    }
    case '=':
    case '-':
      if (above === '' || !/^(?:=+|-{2,})\s*$/.test(start)) break;
      return { level: start.startsWith('=') ? 1 : 2, title: plainTitle(above), rest: '', underlined: true };
  }
  const [, entry = '', , bold, after = ''] =
    /^((?:[-*+]|\d+[.)])\s+)?(\*\*|__)(\S.*?)\2(.*)$/.exec(start) ?? [];
  if (bold !== undefined) {
    const rest = after.replace(/^[\s:—–-]+/u, '');
    return { level: entry === '' ? TITLE_LINE : TITLE_ENTRY + indent, title: plainTitle(bold), rest };
  }
  const label = above === '' ? /^([\p{L} ]{3,60}):(.*)$/u.exec(start) : null;
  const rest = label?.[2]?.trim() ?? '';
  // Without a text on its line it introduces what follows, and titles nothing.
  return label === null || rest === ''
    ? undefined
    : { level: TITLE_LINE, title: plainTitle(label[1] ?? ''), rest };
}

/** The end of a list entry: the next line that does not lie deeper. */
function endOfEntry(lines: readonly string[], heading: Heading): number {
  const indent = heading.level - TITLE_ENTRY;
  const length = lines
    .slice(heading.after)
    .findIndex((line) => line.trim() !== '' && indentOf(line) <= indent);
  return length === -1 ? lines.length : heading.after + length;
}

/** Takes from every line the indentation of the first one. */
function dedent(lines: string[]): string[] {
  const indent = indentOf(lines.find((line) => line.trim() !== '') ?? '');
  return indent === 0 ? lines : lines.map((line) => line.slice(Math.min(indent, indentOf(line))));
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function unquote(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return /^\s{0,3}>/.test(text) ? text.replace(/^(?:\s{0,3}>)+ ?/, '') : text;
}
