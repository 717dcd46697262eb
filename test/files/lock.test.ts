import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acquireLock, isAlive, ownIdentity, processStart, readLock } from '../../src/files/index.ts';
import { place, temporaryDirectory } from '../support/runs.ts';

/** A lock whose holder ran and is gone. */
async function lockOfTheDead(path: string): Promise<void> {
  const gone = spawn('sleep', ['30']);
  const start = processStart(gone.pid ?? 0) ?? '';
  const holder = {
    ...ownIdentity(),
    pid: gone.pid,
    start,
    token: 't-dead',
    acquired_at: new Date().toISOString(),
  };
  mkdirSync(path);
  writeFileSync(join(path, 'first.json'), JSON.stringify({ ...holder, purpose: 'dying' }));
  gone.kill('SIGKILL');
  await once(gone, 'exit');
}

describe('a lock', () => {
  it('is held once, names its holder to others, and is free after its release', () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'a.lock');
    const lock = acquireLock(path, 'writing');
    expect(() => acquireLock(path, 'also writing')).toThrow(
      new RegExp(`held by pid ${process.pid} on .* \\(still running\\) since 20.* for writing`),
    );
    expect(() => acquireLock(path, 'also writing', 'if-dead')).toThrow('held by pid');
    expect(readLock(path)).toEqual(lock.holder);
    lock.release();
    expect(readLock(path)).toBeUndefined();
    expect(readdirSync(directory)).toEqual([]);
    acquireLock(path, 'again').release();
  });

  it('of a dead process is taken over where that is allowed, and by one only', async () => {
    const path = join(temporaryDirectory(), 'a.lock');
    await lockOfTheDead(path);
    expect(() => acquireLock(path, 'x')).toThrow('no longer running');
    const heir = acquireLock(path, 'heir', 'if-dead');
    expect(readLock(path)?.purpose).toBe('heir');
    expect(() => acquireLock(path, 'late', 'if-dead')).toThrow('for heir');
    heir.release();
    expect(readLock(path)).toBeUndefined();
  });

  it('of a living one is taken over only by force, and its old holder then releases nothing', () => {
    const path = join(temporaryDirectory(), 'a.lock');
    const old = acquireLock(path, 'old');
    const usurper = acquireLock(path, 'usurper', 'always');
    old.release();
    expect(readLock(path)?.purpose).toBe('usurper');
    usurper.release();
    expect(readLock(path)).toBeUndefined();
  });

  it('is handed to whoever names its holder', () => {
    const path = join(temporaryDirectory(), 'a.lock');
    const starter = acquireLock(path, 'starter');
    expect(() => acquireLock(path, 'stranger', { token: 'other' })).toThrow('for starter');
    const driver = acquireLock(path, 'driver', { token: starter.holder.token });
    starter.release();
    expect(readLock(path)?.purpose).toBe('driver');
    driver.release();
  });

  it('is not won by a step of long ago: a late successor of a holder that is gone is in no chain', async () => {
    const path = join(temporaryDirectory(), 'a.lock');
    await lockOfTheDead(path);
    acquireLock(path, 'heir', 'if-dead').release();
    const current = acquireLock(path, 'current');
    // What a process writes that decided to replace the dead one before all that.
    writeFileSync(
      join(path, 'after-t-dead.json'),
      JSON.stringify({ ...current.holder, token: 'late', purpose: 'late' }),
    );
    expect(readLock(path)?.purpose).toBe('current');
    current.release();
  });
});

describe('what is at the path of a lock and is no lock', () => {
  it('a directory with a stray file in it, and a plain file, are errors that say so at once', () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'driver.lock');
    mkdirSync(path);
    writeFileSync(join(path, '.DS_Store'), '');
    const started = performance.now();
    expect(() => acquireLock(path, 'x')).toThrow(/driver\.lock is in the way: it is no lock/);
    expect(performance.now() - started).toBeLessThan(5000);
    const file = join(directory, 'file.lock');
    writeFileSync(file, '');
    expect(() => acquireLock(file, 'x')).toThrow(
      expect.objectContaining({
        code: 'corrupt',
        message: expect.stringContaining('is a file where a lock should be'),
      }),
    );
    expect(readdirSync(directory).sort()).toEqual(['driver.lock', 'file.lock']);
  });
});

describe('a lock that is being released', () => {
  /** As it is between the last look of its holder and the removal of the directory. */
  function releasing(path: string, holder: object, token: string): void {
    writeFileSync(join(path, `after-${token}.json`), JSON.stringify(holder));
  }

  it('is free, and is not taken over: its holder is about to remove it', () => {
    const path = join(temporaryDirectory(), 'a.lock');
    const { holder } = acquireLock(path, 'ending');
    releasing(path, holder, holder.token);
    expect(readLock(path)).toBeUndefined();
    expect(() => acquireLock(path, 'x', 'always')).toThrow('for ending');
    expect(readLock(path)).toBeUndefined();
  });

  it('is taken when its holder died over it', async () => {
    const path = join(temporaryDirectory(), 'a.lock');
    await lockOfTheDead(path);
    const dead = readLock(path);
    releasing(path, dead ?? {}, 't-dead');
    expect(readLock(path)).toBeUndefined();
    const lock = acquireLock(path, 'next');
    expect(readLock(path)?.purpose).toBe('next');
    expect(() => acquireLock(path, 'late', 'if-dead')).toThrow('for next');
    lock.release();
    expect(readLock(path)).toBeUndefined();
  });

  it('is closed to take-overs before its directory goes', () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'a.lock');
    const lock = acquireLock(path, 'ending');
    // Nothing can be renamed to what is not empty: the release ends in the middle.
    place(join(`${path}.${lock.holder.token}.released`, 'in-the-way'), '');
    expect(() => lock.release()).toThrow('ENOTEMPTY');
    expect(readLock(path)).toBeUndefined();
    expect(() => acquireLock(path, 'x', 'always')).toThrow('for ending');
  });
});

describe('the identity of a process', () => {
  it('tells a living one from one that is gone and from a later one with its pid', async () => {
    const child = spawn('sleep', ['30']);
    const identity = { ...ownIdentity(), pid: child.pid ?? 0, start: processStart(child.pid ?? 0) ?? '' };
    expect(isAlive(identity)).toBe(true);
    expect(isAlive({ ...identity, start: 'another' })).toBe(false);
    expect(isAlive({ ...identity, host: 'elsewhere' })).toBe('unknown');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isAlive(identity)).toBe(false);
  });
});
