import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ActivityRecord } from '../../src/contracts/index.ts';
import { processesMarked } from '../support/marked-processes.ts';
import { Repository } from '../support/repository.ts';
import { exitOf, startRlm } from '../support/rlm.ts';

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 60_000; !holds(); await sleep(20)) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
  }
}

/** A repository that is done after eight turns; the fifth turn, or its validator, waits until a file says to go on. */
function eightTurns(waits: 'agent' | 'validator'): Repository {
  const repository = new Repository({ 'count.txt': '' });
  const wait = `touch "${repository.outside}/fifth"; while [ ! -f "${repository.outside}/open" ]; do sleep 0.05; done`;
  repository.put(
    'check.sh',
    `#!/bin/sh
lines=$(wc -l < count.txt)
${waits === 'validator' ? `[ $lines -eq 5 ] && { ${wait}; }` : ''}
[ $lines -ge 8 ] && exit 0
echo "FAIL $lines lines"
exit 1
`,
  );
  const turn = `${waits === 'agent' ? `[ $(wc -l < count.txt) -eq 4 ] && { ${wait}; }` : ''}
echo "turn" >> count.txt
echo "Summary: one more"`;
  return repository.act(turn);
}

const driverOf = (repository: Repository) =>
  ActivityRecord.parse(JSON.parse(readFileSync(join(repository.path(), 'activity.json'), 'utf8'))).driver
    ?.pid ?? 0;

/** The process group of what runs in the run now. */
function victims(repository: Repository): number[] {
  return processesMarked(repository.path(), { leaders: true }).map(Number);
}

test.each([
  ['the driver in a turn', 'agent', 'driver', [], 9],
  ['the driver in a validator', 'validator', 'driver', [], 8],
  ['the agent', 'agent', 'program', [], 9],
  ['the validator', 'validator', 'program', [], 8],
  ['the driver in a turn, in a worktree', 'agent', 'driver', ['--isolate', 'worktree'], 9],
  ['the driver in a validator, in a worktree', 'validator', 'driver', ['--isolate', 'worktree'], 8],
] as const)(
  'kill -9 of %s in iteration 5 of 8 loses nothing and pays no accepted turn twice',
  { timeout: 180_000 },
  async (_, waits, victim, more, calls) => {
    const repository = eightTurns(waits);
    const args = repository.refineArgs(
      '--validator',
      './check.sh',
      '--stop-after-same',
      '0',
      '--retries',
      '1',
      ...more,
    );
    const started = exitOf(startRlm(args, { cwd: repository.root, env: repository.env }));
    await until('the fifth', () => existsSync(join(repository.outside, 'fifth')));
    const finished = [1, 2, 3, 4].map((n) =>
      readFileSync(join(repository.path(), `refine/iterations/000${n}.json`), 'utf8'),
    );
    const pids = victim === 'driver' ? [driverOf(repository)] : victims(repository);
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) {
      expect(pid).toBeGreaterThan(1);
      process.kill(pid, 'SIGKILL');
    }
    // What waited and was killed must not wait again.
    const { writeFileSync } = await import('node:fs');
    await until('the worker is gone', () => victim === 'program' || victims(repository).length === 0);
    writeFileSync(join(repository.outside, 'open'), '');
    const first = await started;
    if (victim === 'driver') {
      expect(first.code).toBe(10);
      const resumed = await repository.run('resume', 'loop');
      expect(resumed.code).toBe(0);
    } else expect(first.code).toBe(0);
    expect(repository.iterations().map(({ iteration }) => iteration)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(
      [1, 2, 3, 4].map((n) =>
        readFileSync(join(repository.path(), `refine/iterations/000${n}.json`), 'utf8'),
      ),
    ).toEqual(finished);
    expect(repository.turns).toBe(calls);
    expect(repository.state()).toMatchObject({ ended: 'passed' });
    expect(processesMarked(repository.path())).toEqual([]);
  },
);

test('a cancel acts within a turn, and a resume goes on with it', { timeout: 120_000 }, async () => {
  const repository = eightTurns('agent');
  const started = exitOf(
    startRlm(repository.refineArgs('--validator', './check.sh', '--stop-after-same', '0'), {
      cwd: repository.root,
      env: repository.env,
    }),
  );
  await until('the fifth', () => existsSync(join(repository.outside, 'fifth')));
  expect((await repository.run('cancel', 'loop')).code).toBe(0);
  await started;
  expect(repository.state()).toMatchObject({ ended: 'cancelled' });
  expect(processesMarked(repository.path())).toEqual([]);
  rmSync(join(repository.outside, 'fifth'));
  const { writeFileSync } = await import('node:fs');
  writeFileSync(join(repository.outside, 'open'), '');
  expect((await repository.run('resume', 'loop')).code).toBe(0);
  expect(repository.iterations()).toHaveLength(8);
});
