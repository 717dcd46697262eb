const SECOND = 1000;
const DAY = 86_400 * SECOND;

/** Units of time by how they begin; the first that fits. Other words are ignored. */
const UNITS: readonly [RegExp, number][] = [
  [/^(?:ms|milli)/, 1],
  [/^(?:s$|sec)/, SECOND],
  [/^(?:m$|min)/, 60 * SECOND],
  [/^(?:h$|hr|hour)/, 3600 * SECOND],
  [/^(?:d$|day)/, DAY],
  [/^(?:w$|week)/, 7 * DAY],
  [/^month/, 30 * DAY],
];

/** A wait that is longer is no wait that anybody meant: ten years. */
const MAX_WAIT_MS = 3650 * DAY;

/**
 * The wait that a failure's message asks for, milliseconds: `try again in 3 days 4 hours`, `retry after 7.5s` and the
 * like. Workers pass a Retry-After header on in no other form.
 */
export function parseRetryAfter(message: string): number | undefined {
  const span = /(?:again in|retry after|retry in)\s+((?:[\d.]+\s*[a-z]+[\s,]*(?:and\s+)?)+)/i.exec(
    message,
  )?.[1];
  if (span === undefined) return undefined;
  let total = 0;
  for (const [, count, unit = ''] of span.matchAll(/([\d.]+)\s*([a-z]+)/gi)) {
    const unitMs = UNITS.find(([beginning]) => beginning.test(unit.toLowerCase()))?.[1];
    if (unitMs !== undefined) total += Number(count) * unitMs;
  }
  return total > 0 && total <= MAX_WAIT_MS ? Math.round(total) : undefined;
}

/** The time that a foreign program gives as seconds since the epoch; undefined for what is no time. */
export function timeOfEpoch(seconds: number): Date | undefined {
  const time = new Date(seconds * SECOND);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
