import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ActivityRecord } from '../../src/contracts/index.ts';
import { processStart } from '../../src/files/index.ts';
import { Asker, chunkAnswer, readJournal, readState, runAgain, stepOf, synthesis, units } from './asker.ts';
import { verifyAnswer } from './verify-answer.ts';

const UNITS = 20;

test('killed while it ingests, expands, asks and writes the answer, an ask is taken up and nothing runs twice', async () => {
  // The model hangs at each of these until the driver behind it was killed.
  const open = { expansion: false, chunk: false, synthesis: false, merge: true };
  let chunks = 0;
  const asker = await Asker.start({
    expansion: () => (open.expansion ? { terms: ['password'], phrasings: [] } : { kind: 'hang' }),
    chunk(prompt) {
      chunks += 1;
      return chunks <= 9 || open.chunk ? chunkAnswer(prompt) : { kind: 'hang' };
    },
    synthesis: (prompt) => (open.synthesis ? synthesis(prompt) : { kind: 'hang' }),
  });
  asker.write(units(UNITS));
  const big = Array.from(
    { length: 60_000 },
    (_, n) => `Line ${n} tells of the weather and of nothing else.\n`,
  );
  asker.write({ 'docs/weather.txt': big.join('') });
  const runDir = join(asker.root, '.rlm/runs/killed');

  // While documents are read: the new corpus is under way.
  asker.start(
    'ask',
    'What is the code word of each unit?',
    '--input',
    'docs',
    '--run-id',
    'killed',
    '--parallel',
    '2',
  );
  const unfinished = () => existsSync(join(runDir, 'chunks')) && temporary(join(runDir, 'chunks')).length > 0;
  await until(unfinished);
  await killDriver(runDir);
  expect(unfinished()).toBe(true);

  for (const [step, ready] of [
    ['expansion', () => asker.calls('expansion') > 0],
    ['chunk', () => chunks > 9],
    ['synthesis', () => asker.calls('synthesis') > 0],
  ] as const) {
    const command = asker.start('resume', '--run', 'killed');
    await until(ready);
    await killDriver(runDir);
    open[step] = true;
    await until(() => command.exitCode !== null);
  }
  const { code, stderr, stdout } = await asker.rlm('resume', '--run', 'killed');
  expect(code, stderr + stdout).toBe(0);

  expect(verifyAnswer(runDir).quotes).toHaveLength(UNITS);
  expect(readState(runDir)).toMatchObject({ answered_by: 'synthesis', route: 'search', notes: [] });
  const events = readJournal(runDir);
  expect(runAgain(events)).toEqual([]);
  const results = events.flatMap((event) => (event.type === 'result' ? [event.result.id] : []));
  expect(new Set(results).size).toBe(results.length);
  expect(results.filter((id) => id.startsWith('p1-')).length).toBeGreaterThanOrEqual(UNITS);
  expect(events.at(-1)).toMatchObject({ type: 'finished', state: 'completed' });
  // Of each step that hung, one call was lost for each driver and lane that died; the accepted ones stand.
  expect(asker.calls('expansion')).toBe(2);
  expect(asker.calls('synthesis')).toBe(2);
  // Nothing half-written is left behind.
  for (const directory of ['.', 'chunks', 'ask', 'reduce', 'out', 'subresults']) {
    expect(temporary(join(runDir, directory))).toEqual([]);
  }
  expect(asker.server.calls.map(({ prompt }) => stepOf(prompt))).not.toContain('merge');
}, 120_000);

function temporary(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('.tmp-'));
}

/** Kills the driver with SIGKILL once it has the run, and waits until it is gone. */
async function killDriver(runDir: string): Promise<void> {
  let pid: number | undefined;
  await until(() => {
    pid = driverOf(runDir);
    return pid !== undefined && processStart(pid) !== undefined;
  });
  if (pid === undefined) return;
  process.kill(pid, 'SIGKILL');
  const killed = pid;
  await until(() => processStart(killed) === undefined);
}

function driverOf(runDir: string): number | undefined {
  try {
    return ActivityRecord.parse(JSON.parse(readFileSync(join(runDir, 'activity.json'), 'utf8'))).driver?.pid;
  } catch {
    return undefined;
  }
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`it never came true: ${String(condition)}`);
    await sleep(10);
  }
}

test('cancelled while documents are read, an ask is cancelled and not failed; resumed, it is answered', async () => {
  const asker = await Asker.start();
  const big = Array.from(
    { length: 400_000 },
    (_, n) => `Line ${n} tells of the weather and of nothing else.\n`,
  );
  asker.write({ 'docs/weather.txt': big.join(''), ...units(2) });
  const runDir = join(asker.root, '.rlm/runs/cancelled');
  const ask = ['ask', 'What is the code word of each unit?', '--input', 'docs', '--run-id', 'cancelled'];
  const command = asker.start(...ask);
  await until(() => existsSync(join(runDir, 'chunks')) && temporary(join(runDir, 'chunks')).length > 0);
  const cancelled = await asker.rlm('cancel', '--run', 'cancelled', '--json');
  expect(JSON.parse(cancelled.stdout)).toMatchObject({ state: 'cancelled', driver: 'ended' });
  await until(() => command.exitCode !== null);
  expect(temporary(join(runDir, 'chunks'))).toEqual([]);
  expect((await asker.rlm('resume', '--run', 'cancelled')).code).toBe(0);
  expect(verifyAnswer(runDir).quotes.sort()).toEqual([
    'The code word of unit 1 is w-1.',
    'The code word of unit 2 is w-2.',
  ]);
}, 60_000);
