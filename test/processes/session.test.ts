import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type SessionSpec, startSession } from '../../src/processes/session.ts';
import { processesMarked } from '../support/marked-processes.ts';
import { temporaryDirectory, until } from '../workers/request.ts';

function start(script: string, changes: Partial<SessionSpec> = {}) {
  const directory = temporaryDirectory();
  const lines: string[] = [];
  const session = startSession({
    file: '/bin/sh',
    args: ['-c', script],
    cwd: directory,
    env: { PATH: process.env.PATH ?? '', RLM_WORKER_OF: directory },
    stderrPath: join(directory, 'stderr'),
    maxLineBytes: 1024 * 1024,
    onLine: (line) => lines.push(line),
    ...changes,
  });
  return { session, lines, processes: () => processesMarked(directory) };
}

test('talks line by line until it is closed', async () => {
  const { session, lines, processes } = start('exec cat');
  await session.send('one');
  await session.send('two');
  await until(() => (lines.length === 2 ? true : undefined));
  expect(lines).toEqual(['one', 'two']);
  await session.close();
  expect(processes()).toEqual([]);
});

test('a program that ignores the end of its stdin is killed, with its children', async () => {
  const { session, lines, processes } = start("trap '' TERM HUP; sleep 60 & echo up; sleep 60");
  await until(() => lines[0]);
  const end = await session.close();
  expect(end).toMatchObject({ ended: 'cancelled', killedBy: 'SIGKILL' });
  await until(() => (processes().length === 0 ? true : undefined));
});

test('a program that leaves a child with the pipe behind still ends', async () => {
  const { session, processes } = start('sleep 60 & exit 3');
  expect(await session.ended).toMatchObject({ exitCode: 3, ended: undefined });
  await until(() => (processes().length === 0 ? true : undefined));
});

test('a line beyond the cap ends the program', async () => {
  const { session, lines, processes } = start('yes | tr -d "\\n"', { maxLineBytes: 100_000 });
  expect(await session.ended).toMatchObject({ ended: 'output' });
  expect(lines).toEqual([]);
  await until(() => (processes().length === 0 ? true : undefined));
});

test('more than a pipe holds is written in order, and waits for the reader', async () => {
  const { session, lines } = start('exec cat');
  const text = 'x'.repeat(300_000);
  for (let at = 0; at < 5; at += 1) await session.send(`${at}${text}`);
  await until(() => (lines.length === 5 ? true : undefined));
  expect(lines.map((line) => line.slice(0, 2))).toEqual(['0x', '1x', '2x', '3x', '4x']);
  await session.close();
});

test('a program that is not there is told at the end, and writing to it does no harm', async () => {
  const { session } = start('', { file: '/no/such/program' });
  await session.send('hello');
  expect((await session.ended).startError).toMatchObject({ code: 'ENOENT' });
  await session.close();
});
