import { uptime } from 'node:os';
import { ownIdentity } from '../files/index.ts';

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
