import { hostname } from 'node:os';
import { z } from 'zod';
import { processStart } from './process-start.ts';

/** A process that can be told from a later one with the same pid. */
export const ProcessIdentity = z.object({
  host: z.string(),
  pid: z.int().positive(),
  /** Opaque; two processes with one pid differ in it. Empty when the platform does not tell. */
  start: z.string(),
});
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/** Who is running here. */
export function ownIdentity(): ProcessIdentity {
  return { host: hostname(), pid: process.pid, start: processStart(process.pid) ?? '' };
}

/** Whether that very process still runs: `unknown` when it is on another host. */
export function isAlive(identity: ProcessIdentity): boolean | 'unknown' {
  if (identity.host !== hostname()) return 'unknown';
  const start = processStart(identity.pid);
  if (start === undefined) return false;
  return identity.start === '' || start === identity.start;
}
