import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ProcessIdentity, processStart } from '../../src/files/index.ts';
import { killAllGroups, type ProcessSpec, runProcess } from '../../src/processes/process.ts';
import { bashProgram, temporaryDirectory, until } from '../workers/request.ts';

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const bash = (body: string, changes: Partial<ProcessSpec> = {}): ProcessSpec => ({
  ...bashProgram(directory, body),
  timeoutMs: 20_000,
  idleTimeoutMs: 20_000,
  signal: new AbortController().signal,
  ...changes,
});

/** A child that ignores SIGTERM, whose pid is in `child.pid` once it does. */
const STUBBORN = `bash -c 'trap "" TERM; echo $$ > child.tmp; mv child.tmp child.pid; while :; do sleep 1; done'`;

function childPid(): number | undefined {
  const path = join(directory, 'child.pid');
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined;
}

/** Of a child that must have started. */
function startedChild(): number {
  return childPid() ?? expect.fail('no child was started');
}

const gone = (pid: number) => until(() => (processStart(pid) === undefined ? true : undefined));

test('after a normal end nothing of the group is left', async () => {
  const end = await runProcess(bash(`${STUBBORN} & while [ ! -e child.pid ]; do sleep 0.01; done; exit 7`));
  expect(end).toMatchObject({ exitCode: 7, ended: undefined, killedBy: undefined });
  await gone(startedChild());
});

test('at the wall limit the whole group is gone, also what ignores SIGTERM and holds the output', async () => {
  const end = await runProcess(
    bash(`${STUBBORN} & while :; do echo alive; sleep 0.05; done`, { timeoutMs: 600, idleTimeoutMs: 20_000 }),
  );
  expect(end.ended).toBe('timeout');
  await gone(startedChild());
});

test('output on either stream is no silence', async () => {
  const end = await runProcess(
    bash('for i in 1 2 3 4 5 6; do sleep 0.2; echo x >&2; done; echo end', { idleTimeoutMs: 900 }),
  );
  expect(end).toMatchObject({ exitCode: 0, ended: undefined });
});

test('each output begins the silence anew, also between two looks', async () => {
  const end = await runProcess(bash('for i in 1 2 3; do sleep 1; echo x; done', { idleTimeoutMs: 1800 }));
  expect(end).toMatchObject({ exitCode: 0, ended: undefined });
});

test('a program that prints without end is ended', async () => {
  // A hole of 600 MB, which takes no room on the disk.
  const end = await runProcess(bash('truncate -s 600M out; sleep 30'));
  expect(end.ended).toBe('output');
});

test('abort ends the group; an aborted signal starts nothing', async () => {
  const abort = new AbortController();
  let seen: ProcessIdentity | undefined;
  const running = runProcess(
    bash(`${STUBBORN} & wait`, {
      signal: abort.signal,
      onProcess: (process) => {
        seen = process;
      },
    }),
  );
  const pid = await until(childPid);
  abort.abort();
  expect((await running).ended).toBe('cancelled');
  await gone(pid);
  if (seen === undefined) expect.fail('nothing was started');
  await gone(seen.pid);
  const again = await runProcess(bash('touch started', { signal: abort.signal }));
  expect(again.ended).toBe('cancelled');
  expect(existsSync(join(directory, 'started'))).toBe(false);
});

test('a process killed by somebody else is told from one that we ended', async () => {
  const end = await runProcess(bash('kill -KILL $$'));
  expect(end).toMatchObject({ killedBy: 'SIGKILL', ended: undefined, exitCode: undefined });
});

test('what cannot be started says why, and nothing is rejected', async () => {
  const missing = await runProcess(bash('', { file: join(directory, 'none') }));
  expect(missing.startError?.code).toBe('ENOENT');
  const noInput = await runProcess(bash('', { stdinPath: join(directory, 'no-input') }));
  expect(noInput.startError?.code).toBe('ENOENT');
});

test('killAllGroups reaches what still runs', async () => {
  const running = runProcess(bash(`${STUBBORN} & wait`));
  const pid = await until(childPid);
  killAllGroups('SIGKILL');
  expect((await running).killedBy).toBe('SIGKILL');
  await gone(pid);
});
