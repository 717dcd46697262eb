import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { z } from 'zod';
import { systemCode } from '../errors.ts';
import { ownIdentity, writeJsonAtomic } from '../files/index.ts';

/** Two measures of time: the clock, which anybody may set, and the time since the machine started, which nobody can. */
export interface Clock {
  now(): Date;
  /** Null where the platform does not tell one boot from another. */
  uptime(): { boot: string; seconds: number } | null;
}

export const systemClock: Clock = {
  now: () => new Date(),
  uptime() {
    // On Linux a process's start is `<boot id>:<ticks>`; elsewhere it holds no boot.
    const [boot, ticks] = process.platform === 'linux' ? ownIdentity().start.split(':') : [];
    return boot === undefined || boot === '' || ticks === undefined ? null : { boot, seconds: uptime() };
  },
};

/** A look at the clock: the time it was taken for, and how long the machine had been up. */
const Look = z.object({ boot: z.string(), uptime_sec: z.number(), now: z.iso.datetime() });

/**
 * The time, with no jump forward since the last look of this boot: what was last seen, and what has passed since by
 * the machine's uptime, is the latest that it can be. Where nothing was seen in this boot, what the clock says.
 *
 * @param file keeps the look
 * @param keep write this look down for the next one
 */
export function steadyNow(file: string, clock: Clock, keep: boolean): Date {
  const up = clock.uptime();
  const now = clock.now();
  if (up === null) return now;
  const last = readLook(file);
  const latest =
    last?.boot === up.boot
      ? Date.parse(last.now) + (up.seconds - last.uptime_sec) * 1000
      : Number.POSITIVE_INFINITY;
  const steady = new Date(Math.min(now.getTime(), latest));
  if (keep) writeJsonAtomic(file, { boot: up.boot, uptime_sec: up.seconds, now: steady.toISOString() });
  return steady;
}

function readLook(file: string): z.infer<typeof Look> | undefined {
  try {
    return Look.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
