/** A result is at most about 8 kB (FACTS.md 3); the rows of a page get this much of it, in bytes of JSON. */
export const PAGE_BYTES = 7_000;

/** A text of at most `max` UTF-16 units: a longer one is cut and ends in `…`, never inside a code point. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const end = /[\uD800-\uDBFF]/.test(text.charAt(max - 2)) ? max - 2 : max - 1;
  return `${text.slice(0, end)}…`;
}

/** Bytes of a value as JSON. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** The first rows that fit a page together; at least one, when there is one. */
export function rowsOfOnePage<Row>(rows: readonly Row[], limit = PAGE_BYTES): Row[] {
  const page: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    bytes += jsonBytes(row) + 1;
    if (bytes > limit && page.length > 0) break;
    page.push(row);
  }
  return page;
}
