import { join } from 'node:path';
import { oneLine, sanitize } from '../text/index.ts';
import { TOOLS, type Tool } from '../tools/index.ts';
import { columnsOf, padColumns } from './columns.ts';

/** A longer text in a list of records makes each of them a paragraph instead of a row. */
const WIDEST_CELL = 120;

/**
 * What to do next, as commands: a status speaks to agents, whose `rlm_resume {"run_id": "a"}` is typed
 * `rlm resume --run a`.
 *
 * @param run_dir named instead of the id for a run that lies elsewhere than under `.rlm/runs`
 */
export function asCommands(text: string, run: { id: string; dir: string }): string {
  const named = run.dir.endsWith(join('.rlm', 'runs', run.id)) ? `--run ${run.id}` : `--run-dir ${run.dir}`;
  const words = text
    .replaceAll(/\b(rlm_[a-z_]+) \{"run_id": "[^"]*"\}/g, `$1 ${named}`)
    .replaceAll(`resource rlm://runs/${run.id}/answer`, join(run.dir, 'out', 'answer.json'))
    .replaceAll(`resource rlm://runs/${run.id}/preview`, join(run.dir, 'ask', 'preview.json'))
    .replaceAll(`resource rlm://runs/${run.id}`, run.dir);
  return inCommands(words);
}

/** Words that speak of tools, such as `rlm_run_batch`, as words that speak of commands: `rlm batch`. */
export function inCommands(text: string): string {
  return text.replaceAll(/\brlm_[a-z_]+/g, (name) => {
    const tool = TOOLS.find((candidate) => candidate.name === name);
    return tool === undefined ? name : `rlm ${commandName(tool)}`;
  });
}

/** `rlm_run_batch` is `rlm batch`: its own command name, else the tool's without `rlm_`, dashed. */
export function commandName(tool: Tool): string {
  return tool.command?.name ?? tool.name.replace(/^rlm_/, '').replaceAll('_', '-');
}

/**
 * A structured result for a person's eyes: one line a field, a table for a list of records.
 *
 * @param run the run it is about; what to do next is then said in commands
 */
export function formatResult(result: Record<string, unknown>, run?: { id: string; dir: string }): string {
  const text = formatRecord(result, '').join('\n');
  return `${run === undefined ? text : asCommands(text, run)}\n`;
}

function formatRecord(record: object, indent: string): string[] {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined && value !== null);
  const width = Math.max(0, ...entries.filter(([, value]) => !isNested(value)).map(([name]) => name.length));
  return entries.flatMap(([name, value]) => {
    if (Array.isArray(value)) {
      if (value.length === 0) return [`${indent}${name.padEnd(width)}  none`];
      return [`${indent}${name}`, ...formatList(value, `${indent}  `)];
    }
    if (typeof value === 'object' && value !== null) {
      return [`${indent}${name}`, ...formatRecord(value, `${indent}  `)];
    }
    const lines = linesOf(String(value));
    if (lines.length > 1) return [`${indent}${name}`, ...lines.map((line) => `${indent}  ${line}`)];
    return [`${indent}${name.padEnd(width)}  ${lines[0] ?? ''}`];
  });
}

/** The lines of a text, such as a piece of a document. */
function linesOf(text: string): string[] {
  return sanitize(text).replace(/\n$/, '').split('\n');
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(Array.isArray(value) && value.length === 0);
}

function formatList(values: unknown[], indent: string): string[] {
  const records = values.filter((value) => typeof value === 'object' && value !== null);
  if (records.length < values.length) return values.map((value) => `${indent}${oneLine(String(value))}`);
  if (records.some(isWide)) return records.flatMap((record) => item(formatRecord(record, indent), indent));
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
