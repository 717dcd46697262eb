import type { Config } from '../config/index.ts';
import type { Finding } from './report.ts';

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
  return { check, status: 'ok', detail: cut(detail), fix: null };
}

export function warn(check: string, detail: string, fix: string): Finding {
  return { check, status: 'warn', detail: cut(detail), fix: cut(fix) };
}

export function fail(check: string, detail: string, fix: string): Finding {
  return { check, status: 'fail', detail: cut(detail), fix: cut(fix) };
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}
