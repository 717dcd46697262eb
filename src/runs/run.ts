import { existsSync, lstatSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { customAlphabet } from 'nanoid';
import type { z } from 'zod';
import {
  RUN_FILES,
  RUN_ID_PATTERN,
  type RunKind,
  RunRecord,
  runsDirectory,
  SCHEMA_VERSION,
  stateDirectory,
} from '../contracts/index.ts';
import { messageOf, RlmError, systemCode } from '../errors.ts';
import {
  DIRECTORY_MODE,
  ensureDirectory,
  FILE_MODE,
  ownIdentity,
  readTextFile,
  writeJsonAtomic,
} from '../files/index.ts';

const suffix = customAlphabet('0123456789abcdefghijklmnopqrstuvwxyz', 8);

/** A run that exists on disk. */
export interface RunHandle {
  readonly id: string;
  /** Absolute. */
  readonly dir: string;
  readonly record: RunRecord;
  /** Made by this call, in a directory of its own: it goes again when its work cannot be started. */
  readonly isNew?: boolean;
}

/** A new id that sorts by time: `20261120-140305-3fk29a0z`. */
export function newRunId(now = new Date()): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${stamp}-${suffix()}`;
}

/** Makes `.rlm/` in `root`, ignored by git. */
export function ensureStateDirectory(root: string): string {
  const directory = stateDirectory(root);
  refuseSymlink(directory);
  ensureDirectory(directory);
  const ignore = join(directory, '.gitignore');
  if (!existsSync(ignore)) writeFileSync(ignore, '*\n', { mode: FILE_MODE });
  return directory;
}

/**
 * Creates a run and its `run.json`.
 *
 * @param options.runId the caller's own id; one that exists already is an error
 * @param options.dir another place than `.rlm/runs/<id>`, for the command line's `--run-dir`; it may exist
 *   already, also with a run in it, which is then returned as it is
 * @throws RlmError `usage` for a bad id, `conflict` for one that is taken, `forbidden` for a symlink
 */
export function createRun(
  root: string,
  options: {
    kind: RunKind;
    title: string;
    runId?: string | undefined;
    dir?: string | undefined;
    task?: string | undefined;
  },
): RunHandle {
  const id = checkRunId(
    options.runId ?? (options.dir === undefined ? newRunId() : idOfDirectory(options.dir)),
  );
  let dir: string;
  if (options.dir === undefined) {
    ensureStateDirectory(root);
    const runs = runsDirectory(root);
    refuseSymlink(runs);
    ensureDirectory(runs);
    dir = join(runs, id);
    try {
      mkdirSync(dir, { mode: DIRECTORY_MODE });
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
      throw new RlmError('conflict', `run '${id}' exists already`, {
        hint: 'Choose another run_id, or resume that run.',
      });
    }
  } else {
    dir = resolve(options.dir);
    refuseSymlink(dir);
    ensureDirectory(dir);
    if (existsSync(join(dir, RUN_FILES.run))) return openRunDirectory(dir);
  }
  const record: RunRecord = {
    schema_version: SCHEMA_VERSION,
    run_id: id,
    kind: options.kind,
    title: options.title.slice(0, 500),
    created_at: new Date().toISOString(),
    created_by: ownIdentity(),
    root: resolve(root),
    ...(options.task === undefined ? {} : { task_id: options.task }),
  };
  const isNew = options.dir === undefined;
  try {
    writeJsonAtomic(join(dir, RUN_FILES.run), record);
  } catch (error) {
    if (isNew) rmSync(dir, { recursive: true, force: true });
    throw error;
  }
  return { id, dir, record, isNew };
}

/** Opens a run of this root by its id. @throws as `openRunDirectory`, and RlmError `usage` for what is no id */
export function openRun(root: string, runId: string): RunHandle {
  const run = openRunDirectory(join(runsDirectory(root), checkRunId(runId)));
  if (run.id === runId) return run;
  throw new RlmError('corrupt', `${run.dir} holds run '${run.id}': it is a copy`, {
    hint: `Name the run by its directory, or put its own id into its ${RUN_FILES.run}.`,
  });
}

/**
 * Opens the run in a directory, wherever that lies.
 *
 * @throws RlmError `not_found`, `corrupt` for a `run.json` that cannot be read, `forbidden` for a symlink
 */
export function openRunDirectory(path: string): RunHandle {
  const dir = resolve(path);
  refuseSymlink(dir);
  const record = readRecord(join(dir, RUN_FILES.run), RunRecord);
  if (record === undefined) {
    throw new RlmError('not_found', `no run in ${dir}`, {
      hint: { text: 'List the runs.', action: { tool: 'rlm_status', args: {} } },
    });
  }
  return { id: record.run_id, dir: realpathSync(dir), record };
}

/** The id, if it is one. @throws RlmError `usage` */
export function checkRunId(id: string): string {
  if (RUN_ID_PATTERN.test(id) && !id.includes('..')) return id;
  throw new RlmError(
    'usage',
    `run_id '${id.slice(0, 100)}' must be 3 to 64 of a-z 0-9 . _ -, the first of them a letter or digit, and no '..'`,
  );
}

function idOfDirectory(dir: string): string {
  const id = basename(resolve(dir)).toLowerCase();
  return RUN_ID_PATTERN.test(id) ? id : newRunId();
}

function refuseSymlink(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new RlmError('forbidden', `${path} is a symlink`, { hint: 'Name the directory itself.' });
  }
}

/**
 * Reads a record of ours.
 *
 * @returns undefined when there is no such file
 * @throws RlmError `corrupt` for one that is damaged, or newer than this program
 */
export function readRecord<T>(file: string, schema: z.ZodType<T>): T | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readTextFile(file));
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw new RlmError('corrupt', `${file}: ${messageOf(error)}`, { hint: DAMAGED_HINT });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw unreadable(file, value);
  return parsed.data;
}

/** The error for a record of ours that this version cannot read: newer, or damaged. */
function unreadable(file: string, record: unknown): RlmError {
  const version =
    typeof record === 'object' && record !== null ? Reflect.get(record, 'schema_version') : undefined;
  return typeof version === 'number' && version > SCHEMA_VERSION
    ? new RlmError(
        'corrupt',
        `${file} has schema_version ${version}; this rlm reads up to ${SCHEMA_VERSION}`,
        {
          hint: 'Use a newer rlm-mcp for this run. The file was not touched.',
        },
      )
    : new RlmError('corrupt', `${file} is not a record this program wrote`, { hint: DAMAGED_HINT });
}

const DAMAGED_HINT =
  'Put back a copy of that file, or move the directory of the run away and start it again.';
