/** Everything a model or a file said may hold terminal sequences: they are shown as spaces. */
export function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

/** A structured result for a person's eyes: one line a field, a table for a list of records. */
export function formatResult(result: Record<string, unknown>): string {
  return `${formatRecord(result, '').join('\n')}\n`;
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
    return [`${indent}${name.padEnd(width)}  ${oneLine(String(value))}`];
  });
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(Array.isArray(value) && value.length === 0);
}

function formatList(values: unknown[], indent: string): string[] {
  const records = values.filter((value) => typeof value === 'object' && value !== null);
  if (records.length < values.length) return values.map((value) => `${indent}${oneLine(String(value))}`);
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const rows = [columns, ...records.map((record) => columns.map((name) => cell(Reflect.get(record, name))))];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map(
    (row) =>
      indent +
      row
        .map((text, at) => text.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
  );
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  return oneLine(typeof value === 'object' ? JSON.stringify(value) : String(value));
}
