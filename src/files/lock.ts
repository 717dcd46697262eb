import { linkSync, mkdirSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { nanoid } from 'nanoid';
import { z } from 'zod';
import { RlmError, systemCode } from '../errors.ts';
import { DIRECTORY_MODE, writeFileAtomic } from './atomic.ts';
import { readTextFile } from './bytes.ts';
import { ProcessIdentity } from './process-identity.ts';
import { isAlive, ownIdentity } from './process-start.ts';

/** Who holds a lock, since when and what for. */
export const LockHolder = ProcessIdentity.extend({
  token: z.string(),
  acquired_at: z.iso.datetime(),
  purpose: z.string(),
});
export type LockHolder = z.infer<typeof LockHolder>;

/*
 * A lock is a directory made under a temporary name and renamed into place: rename onto a directory that is
 * not empty fails, so exactly one of many wins. Its holders form a chain: `first.json`, and for a holder with
 * token T who was replaced, `after-T.json`, created exclusively. The last of the chain holds the lock. Tokens
 * are never used twice, so a process that decided to replace a dead holder long ago, and wakes up now, creates
 * at most a file that is in no chain. A holder that releases succeeds itself: `after-T.json` with its own token,
 * so that no one can take over between its last check and the removal of the directory, which only it removes.
 * When it dies in between, `released-T.json` carries on the chain.
 */
const FIRST = 'first.json';

/** How often a lock is tried that is neither held nor free, and for how long between two tries, milliseconds. */
const TRIES = 50;
const PAUSE_MS = 5;

/** A lock that this process holds. */
export interface HeldLock {
  readonly holder: LockHolder;
  /** Whether it has not been taken over since. */
  isOurs(): boolean;
  release(): void;
}

/** What `acquireLock` may do about a holder that is in the way. A `token` replaces that one holder, or a dead one. */
export type TakeOver = 'never' | 'if-dead' | 'always' | { token: string };

/** The holder of a lock, or undefined when it is free. */
export function readLock(path: string): LockHolder | undefined {
  const last = lastOf(path);
  return last === undefined || last.released ? undefined : last.holder;
}

/** The end of the chain. */
function lastOf(path: string): { holder: LockHolder; released: boolean } | undefined {
  let holder = readHolder(join(path, FIRST));
  while (holder !== undefined) {
    let next = readHolder(join(path, `after-${holder.token}.json`));
    const released = next?.token === holder.token;
    if (released) next = readHolder(join(path, `released-${holder.token}.json`));
    if (next === undefined) return { holder, released };
    holder = next;
  }
  return undefined;
}

function readHolder(file: string): LockHolder | undefined {
  try {
    return LockHolder.parse(JSON.parse(readTextFile(file)));
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    // The system's own words say why it cannot be there.
    if (code === 'ENAMETOOLONG') throw error;
    throw new RlmError('corrupt', `cannot read the lock file ${file}`, { hint: REMOVE_HINT, cause: error });
  }
}

const REMOVE_HINT = 'Remove it by hand once you are sure that nothing works on the run.';

/**
 * Takes a lock or fails at once; it waits only, for a quarter of a second at most, while its holder is releasing it.
 *
 * @param takeOver `if-dead` replaces a holder whose process is gone from this host; `always` replaces anyone
 * @throws RlmError `conflict` naming host, pid, purpose and time of the holder, `corrupt` for something at the path
 *   that is no lock
 */
export function acquireLock(path: string, purpose: string, takeOver: TakeOver = 'never'): HeldLock {
  const holder: LockHolder = {
    ...ownIdentity(),
    token: nanoid(),
    acquired_at: new Date().toISOString(),
    purpose,
  };
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    if (createDirectory(path, holder)) return held(path, FIRST, holder);
    const last = lastOf(path);
    const mayFollow =
      last !== undefined &&
      (last.released ? isAlive(last.holder) === false : mayReplace(takeOver, last.holder));
    if (mayFollow) {
      const file = `${last.released ? 'released' : 'after'}-${last.holder.token}.json`;
      if (createSuccessor(path, file, holder) && readLock(path)?.token === holder.token)
        return held(path, file, holder);
    } else if (last?.released === false) throw heldBy(path, last.holder);
    // It was just released, or another process was faster.
    else if (attempt > 0) Atomics.wait(NOTHING, 0, 0, PAUSE_MS);
  }
  const last = lastOf(path);
  if (last !== undefined) throw heldBy(path, last.holder);
  throw new RlmError(
    'corrupt',
    `${path} is in the way: it is no lock, it has no holder, and it does not go away`,
    {
      hint: REMOVE_HINT,
    },
  );
}

/** Waiting on this only ever times out. */
const NOTHING = new Int32Array(new SharedArrayBuffer(4));

function mayReplace(takeOver: TakeOver, holder: LockHolder): boolean {
  if (takeOver === 'never' || takeOver === 'always') return takeOver === 'always';
  if (takeOver !== 'if-dead' && takeOver.token === holder.token) return true;
  return isAlive(holder) === false;
}

function createDirectory(path: string, holder: LockHolder): boolean {
  const temporary = `${path}.${holder.token}`;
  mkdirSync(temporary, { recursive: true, mode: DIRECTORY_MODE });
  writeFileAtomic(join(temporary, FIRST), JSON.stringify(holder));
  try {
    renameSync(temporary, path);
    return true;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    const code = systemCode(error);
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    if (code === 'ENOTDIR') {
      throw new RlmError('corrupt', `${path} is a file where a lock should be`, { hint: REMOVE_HINT });
    }
    throw error;
  }
}

/** @param file its name in the lock, which only one of many can create */
function createSuccessor(path: string, file: string, holder: LockHolder): boolean {
  const temporary = `${path}.${holder.token}.json`;
  writeFileAtomic(temporary, JSON.stringify(holder));
  try {
    return link(temporary, join(path, file));
  } finally {
    unlinkSync(temporary);
  }
}

/** Whether that name was free, and its directory there. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST' || code === 'ENOENT') return false;
    throw error;
  }
}

/** @param file of the holder in the lock */
function held(path: string, file: string, holder: LockHolder): HeldLock {
  return {
    holder,
    isOurs: () => readLock(path)?.token === holder.token,
    release() {
      if (!closeChain(path, file, holder)) return;
      const gone = `${path}.${holder.token}.released`;
      try {
        renameSync(path, gone);
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return;
        throw error;
      }
      rmSync(gone, { recursive: true, force: true });
    },
  };
}

/** Keeps everyone from taking the lock over. Whether it still was this holder's. */
function closeChain(path: string, file: string, holder: LockHolder): boolean {
  try {
    return link(join(path, file), join(path, `after-${holder.token}.json`));
  } catch (error) {
    // A file system without hard links, where no one can take over either.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(systemCode(error) ?? '')) throw error;
    return readLock(path)?.token === holder.token;
  }
}

function heldBy(path: string, holder: LockHolder): RlmError {
  const alive = isAlive(holder);
  const state = alive === 'unknown' ? 'on another host' : alive ? 'still running' : 'no longer running';
  return new RlmError(
    'conflict',
    `${path} is held by pid ${holder.pid} on ${holder.host} (${state}) since ${holder.acquired_at} for ${holder.purpose}`,
    {
      hint: 'Wait for it to finish, cancel it, or take the lock over once you are sure it is dead.',
      retryable: true,
    },
  );
}
