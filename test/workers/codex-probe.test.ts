import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/index.ts';
import { examine } from '../../src/doctor/index.ts';
import { findCodex, inspectCodex } from '../../src/workers/codex/index.ts';
import { createWorker } from '../../src/workers/index.ts';
import { temporaryDirectory } from './request.ts';

const directory = temporaryDirectory();
const real = findCodex(undefined, process.env).file;
const cache = join(directory, '.rlm', 'cache', 'probes');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The real Codex behind a script that does something else for one of its commands, as long as `broken` is there. */
function brokenCodex(
  name: string,
  command: string,
  instead: string,
): { env: NodeJS.ProcessEnv; repair(): void } {
  const broken = join(directory, `${name}.broken`);
  const program = join(directory, name);
  writeFileSync(broken, '');
  writeFileSync(
    program,
    `#!/bin/sh\ncase "$*" in "${command}"*) [ -e ${broken} ] && { ${instead}; } ;; esac\nexec ${real} "$@"\n`,
    { mode: 0o755 },
  );
  return { env: { ...process.env, RLM_CODEX: program }, repair: () => rmSync(broken) };
}

const inspect = (env: NodeJS.ProcessEnv) => inspectCodex({ root: directory, lane: 'auto', env });
const kept = () =>
  existsSync(cache) ? readdirSync(cache).map((name) => readFileSync(join(cache, name), 'utf8')) : [];

describe('a probe of Codex', () => {
  test.each([
    ['killed', 'features list', 'kill -9 $$'],
    ['failed', 'features list', 'exit 101'],
    ['help-killed', 'exec --help', 'kill -9 $$'],
    ['help-failed', 'exec --help', 'exit 1'],
    ['protocol-killed', 'app-server generate-json-schema', 'kill -9 $$'],
  ])(
    'that was interrupted (%s) is an error to retry, and is not remembered',
    async (name, command, instead) => {
      const before = kept().length;
      const codex = brokenCodex(name, command, instead);
      await expect(inspect(codex.env)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
      expect(kept()).toHaveLength(before);
      codex.repair();
      expect(await inspect(codex.env)).toMatchObject({ lane: 'app-server' });
      expect(kept()).toHaveLength(before + 1);
    },
  );

  test('that lists no features is refused: the shell of workers could not be switched off', async () => {
    const codex = brokenCodex('silent', 'features list', 'exit 0');
    await expect(inspect(codex.env)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('shell cannot be switched off'),
    });
    codex.repair();
  });

  test('that an earlier version remembered without features is asked again', async () => {
    const codex = brokenCodex('remembered', 'no such command', 'true');
    await inspect(codex.env);
    const [name = ''] = readdirSync(cache).filter((one) => one.startsWith('remembered'));
    const found = JSON.parse(readFileSync(join(cache, name), 'utf8'));
    writeFileSync(join(cache, name), JSON.stringify({ ...found, features: [] }));
    await inspect(codex.env);
    expect(JSON.parse(readFileSync(join(cache, name), 'utf8'))).toEqual(found);
  });
});

test('doctor asks Codex anew, and repairs what an earlier probe remembered wrongly', async () => {
  const codex = brokenCodex('wrong', 'no such command', 'true');
  await inspect(codex.env);
  const [name = ''] = readdirSync(cache).filter((one) => one.startsWith('wrong'));
  const found = JSON.parse(readFileSync(join(cache, name), 'utf8'));
  writeFileSync(join(cache, name), JSON.stringify({ ...found, appServer: false }));
  await examine(directory, { env: codex.env, signal: new AbortController().signal, probeCost: false });
  expect(JSON.parse(readFileSync(join(cache, name), 'utf8'))).toEqual(found);
});

test('a worker chosen by itself says that Codex does not run, not that nobody is logged in', async () => {
  const home = join(directory, 'nobody');
  const broken = brokenCodex('broken', '--version', 'exit 127');
  const env = { HOME: home, PATH: '/usr/bin:/bin', RLM_CODEX: broken.env.RLM_CODEX, RLM_CLAUDE: '/nowhere' };
  const { why } = await createWorker(
    { worker: 'auto', lane: 'auto' },
    { root: directory, config: loadConfig(directory).values, marks: {}, env },
  );
  expect(why).toContain('no Codex: ');
  expect(why).not.toContain('not logged in');
});
