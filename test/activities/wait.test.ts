import { readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RUN_FILES } from '../../src/contracts/index.ts';
import { acquireLock } from '../../src/files/index.ts';
import type { RunHandle } from '../../src/runs/index.ts';
import { connectClient, exitOf, serverPid, startRlm } from '../support/rlm.ts';
import { finishedBatch, temporaryDirectory, writeActivity } from '../support/runs.ts';
import { until } from '../workers/request.ts';

/** A run that looks as if this process were its driver. */
function workingRun(root: string): RunHandle {
  const run = finishedBatch(root, { jobs: 2, runId: 'busy' });
  writeActivity(run, { state: 'working', heartbeat_at: new Date().toISOString() });
  acquireLock(join(run.dir, RUN_FILES.driverLock), 'test');
  return run;
}

const damages: Array<[string, (run: RunHandle) => void]> = [
  ['deleted', (run) => rmSync(run.dir, { recursive: true })],
  ['moved', (run) => renameSync(run.dir, `${run.dir}-elsewhere`)],
  ['left with half an activity.json', (run) => writeFileSync(join(run.dir, RUN_FILES.activity), '{"sch')],
  ['left with a driver lock that is a file', (run) => breakLock(run)],
];

function breakLock(run: RunHandle): void {
  const lock = join(run.dir, RUN_FILES.driverLock);
  rmSync(lock, { recursive: true });
  writeFileSync(lock, 'no lock');
}

test.each(damages)('the server survives a wait for a run that is %s meanwhile', async (_, damage) => {
  const root = temporaryDirectory();
  const run = workingRun(root);
  const client = await connectClient(root);
  const pid = serverPid(client);
  const progress: unknown[] = [];
  const waiting = client.callTool(
    { name: 'rlm_wait', arguments: { run_id: run.id, wait_sec: 4 } },
    undefined,
    { onprogress: (message) => progress.push(message) },
  );
  await until(() => (progress.length > 0 ? true : undefined));
  damage(run);
  await waiting;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect((await client.callTool({ name: 'rlm_status', arguments: {} })).isError).not.toBe(true);
  expect(serverPid(client)).toBe(pid);
});

test.each(damages)(
  'rlm wait for a run that is %s meanwhile ends with an error in words',
  async (_, damage) => {
    const root = temporaryDirectory();
    const run = workingRun(root);
    const waiting = startRlm(['wait', run.id, '--root', root, '--wait-sec', '4']);
    const ended = exitOf(waiting);
    await until(() => (isWatching(waiting.pid) ? true : undefined));
    damage(run);
    const { stderr, signal } = await ended;
    expect(signal).toBeNull();
    expect(stderr).not.toContain('at ');
  },
);

/** Whether a process watches files, as one does that waits for a run. */
function isWatching(pid: number | undefined): boolean {
  const fds = `/proc/${pid}/fd`;
  return readdirSync(fds).some((fd) => {
    try {
      return readlinkSync(join(fds, fd)).includes('inotify');
    } catch {
      return false;
    }
  });
}
