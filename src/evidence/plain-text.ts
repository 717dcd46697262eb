/** What a worker or model said, as one line of plain text: control characters and runs of white space become a space. */
export function plainText(text: string, maxLength: number): string {
  // A lone surrogate is in \p{C} too: cut text may end in one.
  const line = text.replace(/[\p{Cc}\p{Cs}\s]+/gu, ' ').trim();
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1).replace(/\p{Cs}$/u, '')}…`;
}

/** A count with separators, such as `1,234,567`. */
export function withSeparators(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}
