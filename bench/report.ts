import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

const FILE = 'bench/RESULTS.md';

/** A table of one benchmark, as it is printed and kept. */
export interface Table {
  /** Heading of its section in RESULTS.md; a later run replaces the section. */
  title: string;
  columns: string[];
  rows: Array<Array<string | number>>;
  notes?: string[];
}

/** Prints a table; with `--write` on the command line also keeps it in `bench/RESULTS.md`, with machine and date. */
export function report(table: Table): void {
  const text = `## ${table.title}\n\n${machine()}\n\n${markdown(table)}\n${(table.notes ?? []).map((note) => `\n${note}\n`).join('')}`;
  console.log(text);
  if (!process.argv.includes('--write')) return;
  const before = existsSync(FILE)
    ? readFileSync(FILE, 'utf8')
    : '# Results\n\nEach section is printed by the benchmark that it names; compare within a table only.\n';
  const sections = before.split(/^(?=## )/m).filter((section) => !section.startsWith(`## ${table.title}\n`));
  writeFileSync(FILE, `${sections.map((section) => section.trimEnd()).join('\n\n')}\n\n${text.trimEnd()}\n`);
}

function markdown({ columns, rows }: Table): string {
  const line = (cells: Array<string | number>) => `| ${cells.join(' | ')} |`;
  const rule = columns.map((_, index) => (index === 0 ? '---' : '---:'));
  return [line(columns), line(rule), ...rows.map(line)].join('\n');
}

function machine(): string {
  const memory = Math.round(totalmem() / 2 ** 30);
  const processor = cpus()[0]?.model ?? 'unknown processor';
  return `${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} cores (${processor}), ${memory} GiB, Node ${process.version}, ${process.platform}, load ${loadavg()[0]?.toFixed(1)}`;
}

/** Wall seconds of a program, by argv; its output is thrown away. */
export function seconds(file: string, args: string[], options: { cwd: string; input?: string }): number {
  const started = performance.now();
  execFileSync(file, args, {
    cwd: options.cwd,
    stdio: ['pipe', 'ignore', 'ignore'],
    input: options.input ?? '',
  });
  return (performance.now() - started) / 1000;
}

/** The middle one. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** `1.23×`. */
export function times(value: number): string {
  return `${value.toFixed(2)}×`;
}
