const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * The wait that a failure's words ask for, milliseconds: `try again in 3 days 4 hours`, `retry after 7.5s` and the
 * like. It is all that is told of a Retry-After header where a worker passes it on.
 */
export function toldWait(message: string): number | undefined {
  const span = /(?:again in|retry after|retry in)\s+((?:[\d.]+\s*[a-z]+[\s,]*(?:and\s+)?)+)/i.exec(
    message,
  )?.[1];
  if (span === undefined) return undefined;
  let total = 0;
  for (const [, count, unit] of span.matchAll(/([\d.]+)\s*([a-z]+)/gi)) {
    const name = (unit ?? '').toLowerCase();
    const unitMs = UNIT_MS[name === 'ms' || name.startsWith('milli') ? 'ms' : name.charAt(0)];
    if (unitMs !== undefined) total += Number(count) * unitMs;
  }
  return Number.isFinite(total) && total > 0 ? Math.round(total) : undefined;
}
