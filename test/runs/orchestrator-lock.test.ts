import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { acquireLock, type LockHolder, ownIdentity } from '../../src/files/index.ts';
import {
  holdOrchestratorLock,
  orchestratorLock,
  releaseAllOrchestratorLocks,
  releaseOrchestratorLock,
} from '../../src/runs/index.ts';
import { temporaryDirectory } from '../support/runs.ts';

function root(): string {
  const directory = temporaryDirectory();
  onTestFinished(releaseAllOrchestratorLocks);
  return directory;
}

/** A lock as another process left it. */
function plant(directory: string, holder: Partial<LockHolder>): void {
  const lock = join(directory, '.rlm/locks/run-1.lock');
  rmSync(lock, { recursive: true, force: true });
  mkdirSync(lock, { recursive: true });
  const whole = {
    ...ownIdentity(),
    token: 'ttt',
    acquired_at: new Date().toISOString(),
    purpose: 'p',
    ...holder,
  };
  writeFileSync(join(lock, 'first.json'), JSON.stringify(whole));
}

it('is held once by a process, however often it asks, and is free after the release', () => {
  const directory = root();
  const first = holdOrchestratorLock(directory, 'run-1');
  const second = holdOrchestratorLock(directory, 'run-1');
  expect([first.already, second.already, second.holder.token]).toEqual([false, true, first.holder.token]);
  expect(orchestratorLock(directory, 'run-1')).toMatchObject({ own: true, alive: true, stale: false });
  releaseOrchestratorLock(directory, 'run-1');
  expect(orchestratorLock(directory, 'run-1')).toBeUndefined();
  releaseOrchestratorLock(directory, 'run-1');
});

it('leaves no listener behind, however many runs one process orchestrates', () => {
  const directory = root();
  const before = process.listenerCount('exit');
  for (const runId of ['run-1', 'run-2', 'run-3']) {
    holdOrchestratorLock(directory, runId);
    expect(process.listenerCount('exit')).toBe(before + 1);
    releaseOrchestratorLock(directory, runId);
  }
  expect(process.listenerCount('exit')).toBe(before);
});

it('of a dead process is taken over, and who that was is said; not when even that is forbidden', () => {
  const directory = root();
  plant(directory, { start: 'gone', token: 'dead' });
  expect(orchestratorLock(directory, 'run-1')).toMatchObject({ own: false, alive: false });
  expect(() => holdOrchestratorLock(directory, 'run-1', { takeOver: 'never' })).toThrow(/no longer running/);
  expect(holdOrchestratorLock(directory, 'run-1').replaced?.token).toBe('dead');
});

it('of a living process, or of another host, falls to an explicit take-over only, also when it is stale', () => {
  const directory = root();
  const acquired_at = new Date(Date.now() - 25 * 3_600_000).toISOString();
  for (const holder of [{ acquired_at }, { acquired_at, host: 'elsewhere' }]) {
    plant(directory, holder);
    expect(orchestratorLock(directory, 'run-1')).toMatchObject({ stale: true, own: false });
    expect(() => holdOrchestratorLock(directory, 'run-1')).toThrow(/held by pid \d+ on .* since .* for p/);
    expect(holdOrchestratorLock(directory, 'run-1', { takeOver: 'always' }).replaced?.token).toBe('ttt');
    releaseOrchestratorLock(directory, 'run-1');
  }
  plant(directory, { acquired_at: new Date(Date.now() - 23 * 3_600_000).toISOString() });
  expect(orchestratorLock(directory, 'run-1')?.stale).toBe(false);
});

it('that somebody took from us is not released by us', () => {
  const directory = root();
  holdOrchestratorLock(directory, 'run-1');
  const path = join(directory, '.rlm/locks/run-1.lock');
  const other = acquireLock(path, 'taken over', 'always');
  expect(() => holdOrchestratorLock(directory, 'run-1')).toThrow(/taken over/);
  releaseOrchestratorLock(directory, 'run-1');
  expect(orchestratorLock(directory, 'run-1')?.holder.token).toBe(other.holder.token);
  expect(readFileSync(join(directory, '.rlm/.gitignore'), 'utf8')).toBe('*\n');
});
