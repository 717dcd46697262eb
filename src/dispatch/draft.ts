import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { RUN_FILES } from '../contracts/index.ts';
import { RlmError, systemCode } from '../errors.ts';
import { ensureDirectory, removeIfEmpty, resolveInside, writeFileAtomic } from '../files/index.ts';

/** Largest file that is published, in bytes: what an agent writes by hand is far below this. */
const MAX_DRAFT_BYTES = 16 * 1024 * 1024;

/** A file that a worker left. */
export interface LeftFile {
  bytes: Uint8Array;
  modifiedMs: number;
}

/**
 * A file that is a worker's result. The worker writes it in a directory of its own, because sandboxes open
 * directories, and one that held all results would let every worker write over those of the others. The driver
 * publishes it where everybody else reads it, as a file that nobody else has open.
 */
export class Draft {
  /** Where the worker writes, absolute. */
  readonly path: string;
  /** Where it is published, absolute. */
  readonly published: string;
  readonly #runDir: string;
  readonly #directory: string;

  /**
   * @param runDir absolute
   * @param id of the assignment
   * @param published absolute, in the run directory
   */
  constructor(runDir: string, id: string, published: string) {
    this.#runDir = runDir;
    this.#directory = join(RUN_FILES.drafts, id);
    this.path = join(runDir, this.#directory, basename(published));
    this.published = published;
  }

  /** The worker's own directory, absolute. */
  get directory(): string {
    return join(this.#runDir, this.#directory);
  }

  /** Makes the worker's directory: a sandbox opens directories that are there. */
  prepare(): void {
    ensureDirectory(this.directory);
  }

  /** Makes a draft of an answer, unless the worker wrote one, or the published file itself, since it was launched. */
  write(answer: string, launchedAt: number): void {
    if (isThere(this.path)) return;
    const published = statSync(this.published, { throwIfNoEntry: false });
    if (published !== undefined && published.mtimeMs >= launchedAt) return;
    this.prepare();
    writeFileAtomic(this.path, answer);
  }

  /**
   * Publishes the draft, with its time. Nothing happens without one: a worker that is not confined may have written
   * to the published file itself.
   *
   * @returns the published file, whoever wrote it; undefined when there is none
   * @throws RlmError `forbidden` for what is no regular file or not where it should be, `limit` when it is too large
   */
  publish(): LeftFile | undefined {
    if (!isThere(this.path)) return isThere(this.published) ? readRegularFile(this.published) : undefined;
    if (realpathSync(this.directory) !== join(realpathSync(this.#runDir), this.#directory)) {
      throw new RlmError('forbidden', `${this.directory} leads through a symlink`);
    }
    const draft = readRegularFile(this.path);
    const target = resolveInside(this.#runDir, this.published, 'the published file');
    ensureDirectory(dirname(target));
    writeFileAtomic(target, draft.bytes);
    utimesSync(target, draft.modifiedMs / 1000, draft.modifiedMs / 1000);
    rmSync(this.path, { force: true });
    // What else a worker left there stays, as part of the run.
    removeIfEmpty(this.directory);
    return draft;
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function readRegularFile(path: string): LeftFile {
  let fd: number;
  try {
    // A symlink is not followed, and a pipe does not keep us waiting.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) !== 'ELOOP') throw error;
    throw new RlmError('forbidden', `${basename(path)} is a symlink: ${path}`);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new RlmError('forbidden', `${basename(path)} is not a file: ${path}`);
    if (stat.size > MAX_DRAFT_BYTES) {
      const message = `${basename(path)} has ${stat.size} bytes, more than ${MAX_DRAFT_BYTES}: ${path}`;
      throw new RlmError('limit', message);
    }
    return { bytes: readFileSync(fd), modifiedMs: stat.mtimeMs };
  } finally {
    closeSync(fd);
  }
}
