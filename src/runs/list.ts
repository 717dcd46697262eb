import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ActivityState, RUN_FILES, RUN_ID_PATTERN, runsDirectory } from '../contracts/index.ts';
import { RlmError, systemCode } from '../errors.ts';
import { isInterrupted } from './locks.ts';

/** A run as a row of a list: no counting, one small file read. */
export interface RunListItem {
  run_id: string;
  kind: string;
  title: string;
  created_at: string;
  /** idle: nothing was started in it; unreadable: its records are damaged, opening it says how. */
  state: ActivityState | 'idle' | 'unreadable';
}

/** The ids of all runs of a root, newest first (ids of our own making sort by time). */
export function listRunIds(root: string): string[] {
  try {
    return readdirSync(runsDirectory(root), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && RUN_ID_PATTERN.test(entry.name))
      .map((entry) => entry.name)
      .sort()
      .reverse();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/**
 * One page of runs, newest first. Directories that hold no run are left out.
 *
 * @param options.cursor the last run id of the page before; ids after it in the order are returned
 * @throws RlmError `usage` for a cursor that is no run id
 */
export function listRuns(
  root: string,
  options: { cursor?: string | undefined; limit: number },
): { runs: RunListItem[]; total: number; next_cursor: string | null } {
  const { cursor } = options;
  if (cursor !== undefined && !RUN_ID_PATTERN.test(cursor)) {
    throw new RlmError('usage', `cursor '${cursor.slice(0, 80)}' is not one of this list`, {
      hint: 'Start without a cursor, then give next_cursor of the page before.',
    });
  }
  const { page, ...rest } = pageOf(listRunIds(root), options);
  return { runs: page.map((id) => readItem(root, id)).filter((item) => item !== undefined), ...rest };
}

function readItem(root: string, id: string): RunListItem | undefined {
  const dir = join(runsDirectory(root), id);
  const run = readObject(join(dir, RUN_FILES.run));
  if (run === undefined) return undefined;
  const activity = run === DAMAGED ? run : readObject(join(dir, RUN_FILES.activity));
  return {
    run_id: id,
    kind: text(run.kind),
    title: text(run.title),
    created_at: text(run.created_at),
    state: activity === DAMAGED ? 'unreadable' : stateOf(dir, activity),
  };
}

/** Stands for a record that is there and cannot be read. */
const DAMAGED: Readonly<Record<string, unknown>> = {};

/** Listing 10,000 runs has 50 µs a run: fields are taken as they are, and checked when the run is opened. */
function readObject(path: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : DAMAGED;
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? undefined : DAMAGED;
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Asked twice: the driver may have ended its work between the read of its record and the look at its lock. */
function isGone(dir: string, activity: Readonly<Record<string, unknown>> | undefined): boolean {
  if (activity === undefined || !isInterrupted(dir, activity)) return false;
  return isInterrupted(dir, readObject(join(dir, RUN_FILES.activity)) ?? {});
}

function stateOf(dir: string, activity: Readonly<Record<string, unknown>> | undefined): RunListItem['state'] {
  const value = activity?.state;
  switch (value) {
    case 'working':
      return isGone(dir, activity) ? 'failed' : value;
    case 'input_required':
    case 'completed':
    case 'failed':
    case 'cancelled':
      return value;
    default:
      return 'idle';
  }
}

/**
 * One page of ids that are sorted backwards.
 *
 * @param options.cursor the last id of the page before
 * @returns `next_cursor`: null on the last page
 */
export function pageOf(
  ids: readonly string[],
  options: { cursor?: string | undefined; limit: number },
): { page: readonly string[]; total: number; next_cursor: string | null } {
  const { cursor, limit } = options;
  const rest = cursor === undefined ? ids : ids.filter((id) => id < cursor);
  const page = rest.slice(0, limit);
  return { page, total: ids.length, next_cursor: rest.length > page.length ? (page.at(-1) ?? null) : null };
}
