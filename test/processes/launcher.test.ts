import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { processStart } from '../../src/files/index.ts';
import { Launcher } from '../../src/processes/launcher.ts';
import type { Program } from '../../src/processes/spawn.ts';
import { RLM } from '../support/batch-run.ts';
import { bashProgram, temporaryDirectory, until } from '../workers/request.ts';

let directory: string;
let launcher: Launcher;
beforeEach(() => {
  directory = temporaryDirectory();
  launcher = new Launcher();
});
afterEach(() => {
  launcher.close();
  rmSync(directory, { recursive: true, force: true });
});

const bash = (body: string, changes: Partial<Program> = {}): Program => ({
  ...bashProgram(directory, body),
  ...changes,
});

const printed = (name: string) => readFileSync(join(directory, name), 'utf8');
const gone = (pid: number) => until(() => (processStart(pid) === undefined ? true : undefined));
/** The launcher: the one child of ours whose command line names it. */
function launcherPid(): number {
  const pids = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1];
      return (
        Number(parent) === process.pid &&
        readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('launcher.js')
      );
    } catch {
      return false;
    }
  });
  expect(pids).toHaveLength(1);
  return Number(pids[0]);
}

test('the launcher stays small: all of it is copied at every fork', () => {
  expect(statSync(join(dirname(RLM), 'launcher.js')).size).toBeLessThan(20_000);
});

test('many programs at once get their own input, output, environment and exit code', async () => {
  const ends = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const env = { PATH: process.env.PATH ?? '', MINE: `value ${index % 3}` };
      const program = bash(`echo "$MINE"; exit ${index}`, {
        env,
        stdoutPath: join(directory, `out-${index}`),
      });
      return (await launcher.launch(program)).exited;
    }),
  );
  expect(ends).toEqual(ends.map((_, code) => ({ code, signal: null })));
  expect(ends.map((_, index) => printed(`out-${index}`))).toEqual(
    ends.map((_, index) => `value ${index % 3}\n`),
  );
});

test('an environment that was sent before is used again, and a new one replaces it', async () => {
  const one = { PATH: process.env.PATH ?? '', MINE: 'one' };
  const two = { PATH: process.env.PATH ?? '', MINE: 'two' };
  for (const env of [one, one, two, one]) {
    await (await launcher.launch(bash('echo "$MINE"', { env }))).exited;
  }
  expect(printed('out')).toBe('one\none\ntwo\none\n');
});

test('stderr is kept when something was printed to it, and is no file when not', async () => {
  await (await launcher.launch(bash('echo to out'))).exited;
  expect(existsSync(join(directory, 'err'))).toBe(false);
  await (await launcher.launch(bash('echo to err >&2'))).exited;
  expect(printed('err')).toBe('to err\n');
  await (await launcher.launch(bash('', { stderrPath: join(directory, 'other') }))).exited;
  launcher.close();
  await until(() => (readdirSync(directory).length === 2 ? true : undefined));
  expect(readdirSync(directory).sort()).toEqual(['err', 'out']);
});

test('a program that cannot be started says why, and the launcher goes on', async () => {
  await expect(launcher.launch(bash('', { file: join(directory, 'none') }))).rejects.toMatchObject({
    code: 'ENOENT',
  });
  await expect(launcher.launch(bash('', { stdinPath: join(directory, 'no input') }))).rejects.toMatchObject({
    code: 'ENOENT',
  });
  expect(await (await launcher.launch(bash('exit 3'))).exited).toEqual({ code: 3, signal: null });
});

test('a killed launcher takes its programs with it, and the next launch has another', async () => {
  const spawned = await launcher.launch(bash('exec sleep 100'));
  process.kill(launcherPid(), 'SIGKILL');
  expect(await spawned.exited).toEqual({ code: null, signal: 'SIGKILL' });
  await gone(spawned.pid);
  expect(await (await launcher.launch(bash('exit 4'))).exited).toEqual({ code: 4, signal: null });
});

test('signals to the whole group leave it at work; the end of its stdin ends it and its programs', async () => {
  const { pid } = await launcher.launch(bash('trap "" TERM; while :; do sleep 1; done'));
  const own = launcherPid();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(own, signal);
  expect(await (await launcher.launch(bash('exit 5'))).exited).toEqual({ code: 5, signal: null });
  launcher.close();
  await gone(pid);
  await gone(own);
});
