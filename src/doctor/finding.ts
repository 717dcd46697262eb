import { z } from 'zod';
import type { Config } from '../config/index.ts';

/** One thing that was looked at: how it is, and what to do when it is not well. */
export const Finding = z.object({
  check: z.string().describe('What was looked at, such as codex or disk'),
  status: z
    .enum(['ok', 'warn', 'fail'])
    .describe('fail: something asked for cannot work; warn: it can, with less'),
  detail: z.string().describe('What was found'),
  mend: z.string().nullable().describe('What to do about it; null when there is nothing to do'),
});
export type Finding = z.infer<typeof Finding>;

/** Where a doctor looks. */
export interface Surroundings {
  /** The root that `.rlm/` lies in. Nothing in it is written. */
  root: string;
  env: NodeJS.ProcessEnv;
  config: Config;
  /** A directory of the doctor's own, gone when it is done. */
  scratch: string;
  signal: AbortSignal;
}

/** Longest text that is passed on from elsewhere, characters: a report is under 8 kB. */
const MAX_TEXT = 300;

export function ok(check: string, detail: string): Finding {
  return { check, status: 'ok', detail: cut(detail), mend: null };
}

export function warn(check: string, detail: string, mend: string): Finding {
  return { check, status: 'warn', detail: cut(detail), mend: cut(mend) };
}

export function fail(check: string, detail: string, mend: string): Finding {
  return { check, status: 'fail', detail: cut(detail), mend: cut(mend) };
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}
