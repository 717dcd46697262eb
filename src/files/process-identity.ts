import { z } from 'zod';

/** A process, distinguishable from a later one with the same pid. */
export const ProcessIdentity = z.object({
  host: z.string(),
  pid: z.int().positive(),
  /** Opaque; two processes with one pid differ in it. Empty when the platform does not tell. */
  start: z.string(),
});
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;
