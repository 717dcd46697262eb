import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ActivityState, Outcome, RUN_FILES, RUN_ID_PATTERN, runsDirectory } from '../contracts/index.ts';
import { RlmError, systemCode } from '../errors.ts';
import { readTextFile } from '../files/index.ts';
import { truncate } from '../text/index.ts';
import { isInterrupted } from './locks.ts';

/** A run as a row of a list: no counting, one small file read. */
export interface RunListItem {
  run_id: string;
  kind: string;
  title: string;
  created_at: string;
  /** Name that runs of one task share. */
  task_id?: string;
  /** idle: nothing was started in it; unreadable: its records are damaged, opening it says how. */
  state: ActivityState | 'idle' | 'unreadable';
  /** Null for what is at work, and where nothing was started. */
  outcome: Outcome | null;
  /** Its driver crashed, and a resume goes on with it. */
  crashed?: true;
}

/**
 * The ids of all runs of a root, newest first. An id that the program made says the second; what ties, and ids that
 * callers chose, are ordered by the time in their records.
 */
export function listRunIds(root: string): string[] {
  const runs = runsDirectory(root);
  let ids: string[];
  try {
    ids = readdirSync(runs, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && RUN_ID_PATTERN.test(entry.name))
      .map((entry) => entry.name);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
  const keys = ids.map((id) => ({ id, second: secondOf(runs, id) }));
  keys.sort((a, b) => {
    if (a.second !== b.second) return a.second < b.second ? 1 : -1;
    const [first, second] = [createdAt(runs, a.id), createdAt(runs, b.id)];
    if (first !== second) return first < second ? 1 : -1;
    return a.id < b.id ? 1 : -1;
  });
  return keys.map(({ id }) => id);
}

/** `20261120-140305-3fk29a0z`: see `newRunId`. */
const OWN_ID = /^(\d{4})(\d{2})(\d{2})-(\d{2})(\d{2})(\d{2})-[0-9a-z]{8}$/;

function secondOf(runs: string, id: string): string {
  const stamp = OWN_ID.exec(id);
  if (stamp === null) return createdAt(runs, id).slice(0, 19);
  const [, year, month, day, hour, minute, second] = stamp;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}`;
}

/** Times of creation never change: a server reads each once. */
const known = new Map<string, string>();

/** Empty for what is no run, which comes last. */
function createdAt(runs: string, id: string): string {
  const path = join(runs, id, RUN_FILES.run);
  const time = known.get(path) ?? text(readObject(path)?.created_at);
  if (time !== '') known.set(path, time);
  return time;
}

/**
 * One page of runs, newest first. Directories that hold no run are skipped.
 *
 * @param options.cursor the last run id of the page before
 * @param options.state only runs in this state
 * @param options.kind only runs of this kind
 * @param options.task only runs of this task
 * @returns `total`: runs of all states and kinds; `next_cursor`: null on the last page
 * @throws RlmError `usage` for a cursor that is not in the list
 */
export function listRuns(
  root: string,
  options: {
    cursor?: string | undefined;
    limit: number;
    state?: string | undefined;
    kind?: string | undefined;
    task?: string | undefined;
  },
): { runs: RunListItem[]; total: number; next_cursor: string | null } {
  const { cursor, limit, state, kind, task } = options;
  const ids = listRunIds(root);
  const last = cursor === undefined ? -1 : ids.indexOf(cursor);
  if (cursor !== undefined && last === -1) {
    throw new RlmError('usage', `cursor '${truncate(cursor, 80)}' is not one of this list`, {
      hint: 'Start without a cursor, then give next_cursor of the page before.',
    });
  }
  const runs: RunListItem[] = [];
  let at = last + 1;
  for (; at < ids.length && runs.length < limit; at += 1) {
    const item = readItem(root, ids[at] ?? '');
    if (item === undefined) continue;
    if (state !== undefined && item.state !== state) continue;
    if (kind !== undefined && item.kind !== kind) continue;
    if (task !== undefined && item.task_id !== task) continue;
    runs.push(item);
  }
  return { runs, total: ids.length, next_cursor: at < ids.length ? (ids[at - 1] ?? null) : null };
}

function readItem(root: string, id: string): RunListItem | undefined {
  const dir = join(runsDirectory(root), id);
  const run = readObject(join(dir, RUN_FILES.run));
  if (run === undefined) return undefined;
  const activity = run === DAMAGED ? run : readObject(join(dir, RUN_FILES.activity));
  const state = activity === DAMAGED ? 'unreadable' : stateOf(dir, activity);
  return {
    run_id: id,
    kind: text(run.kind),
    title: text(run.title),
    created_at: text(run.created_at),
    ...(typeof run.task_id === 'string' ? { task_id: run.task_id } : {}),
    state,
    outcome: Outcome.safeParse(activity?.outcome).data ?? null,
    // Its record still says `working`: whoever drove it is gone.
    ...(state === 'failed' && activity?.state === 'working' ? { crashed: true } : {}),
  };
}

/** Stands for a record that is there and cannot be read. */
const DAMAGED: Readonly<Record<string, unknown>> = {};

/** Listing 10,000 runs has 50 µs a run: fields are taken as they are, and checked when the run is opened. */
function readObject(path: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(readTextFile(path));
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
