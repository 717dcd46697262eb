import type { DoctorReport } from '../doctor/index.ts';
import { NextSteps } from '../resources/index.ts';
import { oneLine, sanitize } from '../text/index.ts';
import { columnsOf, padColumns } from './columns.ts';
import { type CommandPlace, stepLines } from './commands.ts';

/** A longer text in a list of records makes each of them a paragraph instead of a row. */
const WIDEST_CELL = 120;

/**
 * A structured result for a person's eyes: one line a field, a table for a list of records.
 *
 * @param place where next steps are to be pasted: they are printed as commands
 */
export function formatResult(result: Record<string, unknown>, place: CommandPlace = {}): string {
  const lines = formatRecord(result, '', place);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function formatRecord(record: object, indent: string, place: CommandPlace): string[] {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined && value !== null);
  const width = Math.max(0, ...entries.filter(([, value]) => !isNested(value)).map(([name]) => name.length));
  return entries.flatMap(([name, value]) => {
    const steps = name === 'next' ? NextSteps.safeParse(value).data : undefined;
    if (steps !== undefined) {
      const lines = stepLines(steps, place).map((line) => indent + line);
      return lines.length === 0 ? [] : [`${indent}next`, ...lines];
    }
    if (Array.isArray(value)) {
      if (value.length === 0) return [`${indent}${name.padEnd(width)}  none`];
      return [`${indent}${name}`, ...formatList(value, `${indent}  `, place)];
    }
    if (typeof value === 'object' && value !== null) {
      return [`${indent}${name}`, ...formatRecord(value, `${indent}  `, place)];
    }
    const lines = linesOf(String(value));
    if (lines.length > 1) return [`${indent}${name}`, ...lines.map((line) => `${indent}  ${line}`)];
    return [`${indent}${name.padEnd(width)}  ${lines[0] ?? ''}`];
  });
}

/** The lines of a text, such as a piece of a document, without terminal sequences. */
function linesOf(text: string): string[] {
  return sanitize(text).replace(/\n$/, '').split('\n');
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(Array.isArray(value) && value.length === 0);
}

function formatList(values: unknown[], indent: string, place: CommandPlace): string[] {
  const records = values.filter((value) => typeof value === 'object' && value !== null);
  if (records.length < values.length) return values.map((value) => `${indent}${oneLine(String(value))}`);
  if (records.some(isWide))
    return records.flatMap((record) => item(formatRecord(record, indent, place), indent));
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const rows = [columns, ...records.map((record) => columns.map((name) => cell(Reflect.get(record, name))))];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => columnsOf(row[column] ?? ''))));
  return rows.map(
    (row) =>
      indent +
      row
        .map((text, at) => padColumns(text, widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
  );
}

/** Too much for a row of a table: a list of records, or a long text. */
function isWide(record: object): boolean {
  return Object.values(record).some(
    (value) =>
      (Array.isArray(value) && value.some((part) => typeof part === 'object')) ||
      cell(value).length > WIDEST_CELL,
  );
}

/** A record below others: its first line is marked. */
function item(lines: string[], indent: string): string[] {
  return lines.map(
    (line, index) => (index === 0 ? `${indent}- ` : `${indent}  `) + line.slice(indent.length),
  );
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value) && value.every((part) => typeof part !== 'object'))
    return oneLine(value.join(', '));
  return oneLine(typeof value === 'object' ? JSON.stringify(value) : String(value));
}

const MARKS = { ok: '✓', warn: '!', fail: '✗' } as const;
/** Narrower than this nothing can be aligned. */
const MIN_WIDTH = 60;

/**
 * A doctor's report for a person: one aligned line a finding, below it what to do.
 *
 * @param columns width of the terminal; longer lines are broken and stay aligned
 */
export function doctorText(report: DoctorReport, columns: number): string {
  const name = Math.max(...report.findings.map(({ check }) => check.length));
  const width = Math.max(MIN_WIDTH, columns) - name - 5;
  const indent = ' '.repeat(name + 4);
  const block = (first: string, text: string) =>
    wrap(oneLine(text), width).map((line, at) => `${at === 0 ? first : indent}${line}`);
  const findings = report.findings.flatMap(({ check, status, detail, fix }) => [
    ...block(`${MARKS[status]} ${check.padEnd(name)}  `, detail),
    ...(fix === null ? [] : block(indent, `→ ${fix}`)),
  ]);
  const settings = report.settings.map(({ key, value, origin }) => `  ${key} = ${value} (${origin})`);
  return [
    `rlm ${report.version}, root ${report.root}`,
    '',
    ...findings,
    ...(settings.length === 0 ? [] : ['', 'Not the default:', ...settings.map(sanitize)]),
    '',
    verdict(report),
    '',
  ].join('\n');
}

function verdict({ findings }: DoctorReport): string {
  const count = (status: string) => findings.filter((finding) => finding.status === status).length;
  const failed = count('fail');
  const warned = count('warn');
  if (failed > 0) return `${failed} failed, ${warned} to look at: fix what is marked ✗ first.`;
  return warned > 0 ? `Nothing fails; ${warned} to look at, marked !.` : 'All is well.';
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
