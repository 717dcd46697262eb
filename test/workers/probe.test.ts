import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { askProgram, probeCached } from '../../src/workers/probe.ts';
import { temporaryDirectory } from './request.ts';

const Finding = z.object({ version: z.string() });

test('a program is asked once, and again when it has changed or the finding is spoilt', async () => {
  const directory = temporaryDirectory();
  const cache = join(directory, 'cache');
  const binary = join(directory, 'program');
  writeFileSync(binary, 'one');
  let asked = 0;
  const probe = () =>
    probeCached(cache, binary, Finding, () => {
      asked += 1;
      return Promise.resolve({ version: String(asked) });
    });
  expect([await probe(), await probe()]).toEqual([{ version: '1' }, { version: '1' }]);
  writeFileSync(binary, 'another size');
  expect([await probe(), await probe()]).toEqual([{ version: '2' }, { version: '2' }]);
  for (const name of readdirSync(cache)) writeFileSync(join(cache, name), '{"version":');
  expect(await probe()).toEqual({ version: '3' });
});

test('what a program prints comes back apart, with how it ended', async () => {
  const answer = await askProgram('/bin/sh', ['-c', 'echo $NAME; echo bad >&2; exit 3'], {
    env: { NAME: 'out' },
  });
  expect(answer).toMatchObject({ stdout: 'out\n', stderr: 'bad\n', exitCode: 3 });
});

test('a program that cannot be started is unavailable', async () => {
  await expect(askProgram('/no/such/program', ['--version'], { env: {} })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('/no/such/program --version'),
  });
});
