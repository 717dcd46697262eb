import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { nanoid } from 'nanoid';
import { z } from 'zod';
import { RlmError, systemCode } from '../errors.ts';
import { DIRECTORY_MODE, writeFileAtomic } from './atomic.ts';
import { isAlive, ownIdentity, ProcessIdentity } from './process-identity.ts';

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
 * are never used twice, so somebody who decided to replace a dead holder long ago, and wakes up now, creates
 * at most a file that is in no chain. Nothing is ever removed but the whole directory, by its holder.
 */
const FIRST = 'first.json';

/** A lock that this process holds. */
export interface HeldLock {
  readonly holder: LockHolder;
  /** Whether nobody has taken it over since. */
  stands(): boolean;
  release(): void;
}

/** What `acquireLock` may do about a holder that is in the way. A `token` replaces that one holder, or a dead one. */
export type TakeOver = 'never' | 'if-dead' | 'always' | { token: string };

/** The holder of a lock, or undefined when it is free. */
export function readLock(path: string): LockHolder | undefined {
  let holder = readHolder(join(path, FIRST));
  for (let next = holder; next !== undefined; next = readHolder(join(path, `after-${next.token}.json`)))
    holder = next;
  return holder;
}

function readHolder(file: string): LockHolder | undefined {
  try {
    return LockHolder.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    // The system's own words say why it cannot be there.
    if (code === 'ENAMETOOLONG') throw error;
    throw new RlmError('corrupt', `cannot read the lock file ${file}`, {
      hint: 'Remove the lock directory by hand once you are sure that nobody works on the run.',
      cause: error,
    });
  }
}

/**
 * Takes a lock or fails at once; it never waits.
 *
 * @param takeOver `if-dead` replaces a holder whose process is gone from this host; `always` replaces anyone
 * @throws RlmError `conflict` naming host, pid, purpose and time of the holder
 */
export function acquireLock(path: string, purpose: string, takeOver: TakeOver = 'never'): HeldLock {
  const holder: LockHolder = {
    ...ownIdentity(),
    token: nanoid(),
    acquired_at: new Date().toISOString(),
    purpose,
  };
  for (;;) {
    if (createDirectory(path, holder)) return held(path, holder);
    const current = readLock(path);
    // It was released in between: try again.
    if (current === undefined) continue;
    if (!mayReplace(takeOver, current)) throw heldBy(path, current);
    if (!createSuccessor(path, current, holder)) continue;
    if (readLock(path)?.token === holder.token) return held(path, holder);
  }
}

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
    if (systemCode(error) === 'ENOTEMPTY' || systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function createSuccessor(path: string, replaced: LockHolder, holder: LockHolder): boolean {
  const temporary = `${path}.${holder.token}.json`;
  writeFileAtomic(temporary, JSON.stringify(holder));
  try {
    linkSync(temporary, join(path, `after-${replaced.token}.json`));
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST' || code === 'ENOENT') return false;
    throw error;
  } finally {
    unlinkSync(temporary);
  }
}

function held(path: string, holder: LockHolder): HeldLock {
  const stands = () => readLock(path)?.token === holder.token;
  return {
    holder,
    stands,
    release() {
      if (!stands()) return;
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
