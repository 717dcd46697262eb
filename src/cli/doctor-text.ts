import type { DoctorReport } from '../doctor/index.ts';
import { oneLine, sanitize } from '../text/index.ts';
import { columnsOf } from './columns.ts';

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
