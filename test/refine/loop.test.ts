import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FIX, FIXED, NODE_PROJECT, Repository, TALK, TRY } from '../support/repository.ts';

describe('a loop', { timeout: 90_000 }, () => {
  test('ends when the tests pass, and says what each iteration did', async () => {
    const repository = new Repository().act(TRY, TRY, FIX);
    const exit = await repository.refine('--json');
    expect(exit.code).toBe(0);
    expect(JSON.parse(exit.stdout)).toMatchObject({ kind: 'refine', state: 'completed', ended: 'passed' });
    expect(repository.read('src/math.js')).toBe(FIXED);
    const iterations = repository.iterations();
    expect(iterations).toHaveLength(3);
    expect(iterations[0]).toMatchObject({
      iteration: 1,
      summary: 'tried',
      next: 'more',
      files_changed: ['src/math.js'],
      insertions: 1,
      network: false,
      validator: { passed: false, exit_code: 1, tests: { ran: 2, failed: 1 } },
    });
    expect(iterations[2]).toMatchObject({
      summary: 'fixed the sign',
      validator: { passed: true, tests: { ran: 2, failed: 0 } },
    });
    const patch = readFileSync(join(repository.path(), 'refine/iterations/0003.patch'), 'utf8');
    expect(patch).toContain('+export const add = (a, b) => a + b;');
    expect(repository.state()).toMatchObject({
      ended: 'passed',
      validator: { id: 'npm-test', reason: 'node: package-lock.json' },
      first_signal_ms: expect.any(Number),
      validator_chosen_ms: expect.any(Number),
    });
    // What it is told: the goal, how far it is, how it failed, what was tried; nothing of it grows.
    expect(repository.prompt(2)).toMatch(/## Goal\nFix the failing test/);
    expect(repository.prompt(2)).toMatch(/## Iteration\n2 of 88/);
    expect(repository.prompt(2)).toMatch(/2 tests ran, 1 failed/);
    expect(repository.prompt(2)).toMatch(/Tried before, without success\nIteration 1: tried -> not ok/);
    expect(repository.git('status', '--porcelain')).toBe(' M src/math.js\n');
  });

  test('costs no call where everything is green already', async () => {
    const repository = new Repository({ ...NODE_PROJECT, 'src/math.js': FIXED }).act(TRY);
    expect((await repository.refine()).code).toBe(0);
    expect(repository.turns).toBe(0);
    expect(repository.state()).toMatchObject({ ended: 'passed', reason: 'it passed before any turn' });
  });

  test('only one loop changes a working tree at a time; another is told which, or waits as input_required', async () => {
    const repository = new Repository().act(`sleep 20\n${TRY}`, `sleep 4\n${FIX}`);
    await repository.refine('--detach');
    await expect.poll(() => repository.turns, { timeout: 20_000 }).toBe(1);
    const second = ['refine', 'Fix it', '--run', 'second', '--command', repository.agent];
    const refused = await repository.run(...second);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("run 'loop' is changing the files of");
    expect(existsSync(repository.path('second'))).toBe(false);

    await repository.run('cancel', 'loop');
    await repository.run(...second, '--detach');
    await expect.poll(() => repository.turns, { timeout: 20_000 }).toBe(2);
    const resumed = JSON.parse((await repository.run('resume', 'loop', '--json')).stdout);
    expect(resumed).toMatchObject({ state: 'input_required' });
    expect(resumed.reason).toContain("run 'second' is changing the files of");
    await repository.run('wait', 'second');
    expect(repository.state('second').ended).toBe('passed');
    expect((await repository.run('resume', 'loop')).code).toBe(0);
    expect(repository.state().ended).toBe('passed');
  });

  test('works where there is no git repository', async () => {
    const repository = new Repository(NODE_PROJECT, { git: false }).act(FIX);
    expect((await repository.refine()).code).toBe(0);
    expect(repository.iterations()[0]?.files_changed).toEqual(['src/math.js']);
  });

  test('takes three turns an iteration with --roles triad, each told what the ones before said', async () => {
    const repository = new Repository().act('echo "the sign is wrong"', 'echo "mind the zero"', FIX);
    expect((await repository.refine('--roles', 'triad')).code).toBe(0);
    expect(repository.turns).toBe(3);
    expect(repository.prompt(1)).toContain('You are the planner');
    expect(repository.prompt(2)).toMatch(/You are the critic[\s\S]*## Plan\nthe sign is wrong/);
    expect(repository.prompt(3)).toMatch(
      /You are the reviser[\s\S]*## Plan\nthe sign is wrong[\s\S]*## Critic\nmind the zero/,
    );
    expect(repository.iterations()[0]?.turns.map(({ role }) => role)).toEqual([
      'planner',
      'critic',
      'reviser',
    ]);
  });

  test('takes the environment for what is not given, and a flag before it', async () => {
    const repository = new Repository().act(TRY);
    const { rlm } = await import('../support/rlm.ts');
    const env = {
      ...repository.env,
      RLM_GOAL: 'From outside',
      RLM_VALIDATOR: 'none',
      RLM_MAX_ITERATIONS: '3',
      MCP_RUNNER_TASK_ID: 'T-7',
    };
    const exit = await rlm(
      ['refine', '--run', 'loop', '--command', repository.agent, '--max-iterations', '2'],
      { cwd: repository.root, env },
    );
    expect(exit.code).toBe(0);
    expect(repository.state()).toMatchObject({
      goal: 'From outside',
      task_id: 'T-7',
      validator: null,
      ended: 'budget_complete',
    });
    expect(repository.turns).toBe(2);
  });
});

describe('the exit code', { timeout: 90_000 }, () => {
  test('is 2 where no validator is found, with what was looked at, and where several are, with all of them', async () => {
    const empty = new Repository({ 'a.txt': 'x' }).act(TRY);
    const none = await empty.refine();
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(/no validator was found/);
    const both = new Repository({ ...NODE_PROJECT, 'go.mod': 'module x\n' }).act(TRY);
    const several = await both.refine('--json');
    expect(several.code).toBe(2);
    expect(
      JSON.parse(several.stdout).error.choices.options.map(({ value }: { value: string }) => value),
    ).toEqual(['npm-test', 'go-test', 'none']);
    // Nothing half-done is left.
    expect(existsSync(both.path())).toBe(false);
    expect(both.turns).toBe(0);
  });

  test('is 3 at the limit of iterations, and 0 there without a validator', async () => {
    const repository = new Repository().act(TRY);
    expect((await repository.refine('--max-iterations', '1')).code).toBe(3);
    expect(repository.state()).toMatchObject({ ended: 'max_iterations' });
    const free = new Repository().act(TRY);
    expect((await free.refine('--validator', 'none', '--max-iterations', '1')).code).toBe(0);
    expect(free.state()).toMatchObject({ ended: 'budget_complete' });
  });

  test('is 3 when the minutes are over, also in the middle of a turn that hangs', async () => {
    const repository = new Repository().act('sleep 600');
    const started = performance.now();
    expect((await repository.refine('--max-minutes', '0.1')).code).toBe(3);
    expect(repository.state()).toMatchObject({ ended: 'max_minutes' });
    expect(performance.now() - started).toBeLessThan(60_000);
  });

  test('is 3 for the same failure three times, and 3 when two turns in a row only talk', async () => {
    const same = new Repository().act(TRY);
    expect((await same.refine()).code).toBe(3);
    expect(same.state()).toMatchObject({ ended: 'stuck' });
    expect(same.turns).toBe(3);
    // Before the last try it is told to start afresh, and why.
    expect(same.prompt(3)).toMatch(/## Start afresh\nThe same failure came back/);
    expect(same.prompt(2)).not.toMatch(/Start afresh/);
    const talker = new Repository().act(TALK);
    expect((await talker.refine()).code).toBe(3);
    expect(talker.state()).toMatchObject({ ended: 'stuck' });
    expect(talker.turns).toBe(2);
  });

  test('is 3 when a budget of calls is used up, and the run waits for a larger one', async () => {
    const repository = new Repository().act(TRY, TRY, FIX);
    const exit = await repository.refine('--max-attempts', '2', '--json');
    expect(exit.code).toBe(3);
    expect(JSON.parse(exit.stdout)).toMatchObject({ state: 'input_required', ended: 'budget' });
    expect((await repository.run('resume', 'loop', '--max-attempts', '5')).code).toBe(0);
    expect(repository.turns).toBe(3);
    expect(repository.iterations()).toHaveLength(3);
  });

  test('is 4 for a validator that cannot start, before and after it is tried', async () => {
    const repository = new Repository().act(TRY);
    const missing = await repository.refine('--validator', 'no-such-program --x');
    expect(missing.code).toBe(4);
    expect(missing.stderr).toMatch(/no-such-program was not found/);
    repository.put('check.sh', '#!/bin/sh\nno-such-program\n');
    expect((await repository.refine('--validator', './check.sh')).code).toBe(4);
    expect(repository.state()).toMatchObject({ ended: 'error' });
    expect(repository.turns).toBe(0);
  });

  test.each([
    [
      'no end in sight',
      ['--validator', 'none', '--max-iterations', 'unlimited', '--max-minutes', '0'],
      /a limit of iterations or minutes is needed/,
    ],
    ['a word for a number', ['--max-iterations', 'many'], /max_iterations is 'many'/],
    ['a shell in the validator', ['--validator', 'npm test | tee log'], /has a pipe.*|put it into a script/s],
    ['candidates on one tree', ['--candidates', '2', '--isolate', 'none'], /need isolate worktree/],
    ['a reader that cannot write', ['--worker', 'extractive'], /cannot change files/],
  ])('is 5 for %s', async (_, args, message) => {
    const repository = new Repository().act(TRY);
    const given = args.includes('--worker')
      ? ['refine', 'Fix', '--run', 'loop', ...args]
      : repository.refineArgs(...args);
    const exit = await repository.run(...given);
    expect(exit.code).toBe(5);
    expect(exit.stderr).toMatch(message);
    expect(existsSync(repository.path())).toBe(false);
  });

  test('is 6 when a protected file was changed and that is to stop it', async () => {
    const repository = new Repository().act('echo "// weaker" >> test/math.test.js\necho "Summary: x"');
    expect((await repository.refine('--on-tamper', 'stop')).code).toBe(6);
    expect(repository.state()).toMatchObject({ ended: 'tampered' });
  });

  test('is 75 for a used-up quota, and the run goes on afterwards', async () => {
    const repository = new Repository().act(FIX);
    const runner = join(repository.outside, 'runner.sh');
    const { chmodSync, writeFileSync } = await import('node:fs');
    writeFileSync(
      runner,
      `#!/bin/sh
if [ -f "${repository.outside}/open" ]; then echo 'export const add = (a, b) => a + b;' > "${repository.root}/src/math.js"
echo '{"item":{"type":"agent_message","text":"Summary: fixed"}}'; exit 0; fi
echo '{"type":"error","message":"You have hit your usage limit. insufficient_quota"}'
exit 1
`,
    );
    chmodSync(runner, 0o755);
    const exit = await repository.run('refine', 'Fix', '--run', 'loop', '--runner-script', runner, '--json');
    expect(exit.code).toBe(75);
    expect(JSON.parse(exit.stdout)).toMatchObject({ state: 'input_required', ended: 'quota' });
    writeFileSync(join(repository.outside, 'open'), '');
    expect((await repository.run('resume', 'loop')).code).toBe(0);
  });
});

describe('a validator', { timeout: 120_000 }, () => {
  const check = (body: string) => ({ ...NODE_PROJECT, 'check.sh': `#!/bin/sh\n${body}\n` });

  test('that hangs in silence is ended, and that is the failure which the agent reads', async () => {
    const repository = new Repository(
      check('grep -q "a + b" src/math.js && exit 0\necho started\nsleep 600'),
    ).act(FIX);
    repository.configure({ refine: { validator_idle_timeout_sec: 2 } });
    expect((await repository.refine('--validator', './check.sh')).code).toBe(0);
    expect(repository.prompt(1)).toMatch(/printed nothing for too long/);
  });

  test('that prints 200 MB, forks children and kills its parent is survived', async () => {
    const repository = new Repository(
      check(
        'sleep 300 &\nhead -c 200000000 /dev/zero | tr "\\0" x\necho\ngrep -q "a + b" src/math.js && exit 0\nkill -9 $PPID\nsleep 1\necho "AssertionError: still wrong"\nexit 1',
      ),
    ).act(FIX);
    const exit = await repository.refine('--validator', './check.sh', '--max-iterations', '2');
    expect(exit.code).toBe(0);
    expect(repository.turns).toBe(1);
    const { processesMarked } = await import('../support/marked-processes.ts');
    expect(processesMarked(repository.path())).toEqual([]);
  });

  test('does not see the keys of model providers', async () => {
    const repository = new Repository(check('env > seen.txt\ngrep -q "a + b" src/math.js')).act(FIX);
    const { rlm } = await import('../support/rlm.ts');
    const env = { ...repository.env, OPENAI_API_KEY: 'k1', ANTHROPIC_API_KEY: 'k2', MY_OWN: 'mine' };
    expect(
      (await rlm(repository.refineArgs('--validator', './check.sh'), { cwd: repository.root, env })).code,
    ).toBe(0);
    expect(repository.read('seen.txt')).toContain('MY_OWN=mine');
    expect(repository.read('seen.txt')).not.toMatch(/k1|k2/);
  });
});

describe('a cheat', { timeout: 90_000 }, () => {
  const runner = {
    ...NODE_PROJECT,
    'package.json': '{ "type": "module", "scripts": { "test": "runner" } }\n',
    'node_modules/runner/cli.sh': '#!/bin/sh\nexec node --test\n',
    'vitest.config.js': 'export default {};\n',
    'test/__snapshots__/a.snap': 'a\n',
  };
  const say = 'echo "Summary: done"';
  test.each([
    ['edits the test', `sed -i s/3/-1/ test/math.test.js\n${say}`],
    ['skips the test', `sed -i "s/test('adds'/test.skip('adds'/" test/math.test.js\n${say}`],
    ['deletes the test', `rm test/math.test.js\n${say}`],
    ['weakens the configuration', `echo 'export default { exclude: ["**"] };' > vitest.config.js\n${say}`],
    [
      'replaces the test script',
      `echo '{ "type": "module", "scripts": { "test": "true" } }' > package.json\n${say}`,
    ],
    ['patches the runner', `printf '#!/bin/sh\\nexit 0\\n' > node_modules/runner/cli.sh\n${say}`],
    ['rewrites the snapshot', `echo b > test/__snapshots__/a.snap\n${say}`],
    ['changes the lock file of the runner', `echo '{"x":1}' > package-lock.json\n${say}`],
  ])('that %s is undone, told to the next turn, and passes nothing', async (_, turn) => {
    const repository = new Repository(runner).act(turn);
    const { mkdirSync, symlinkSync } = await import('node:fs');
    mkdirSync(join(repository.root, 'node_modules/.bin'), { recursive: true });
    symlinkSync('../runner/cli.sh', join(repository.root, 'node_modules/.bin/runner'));
    expect((await repository.refine()).code).toBe(3);
    expect(repository.state().ended).not.toBe('passed');
    const [first] = repository.iterations();
    expect(first?.tampered[0]?.restored).toBe(true);
    expect(first?.validator?.tests).toEqual({ ran: 2, failed: 1 });
    expect(repository.prompt(2)).toMatch(/## Undone/);
  });

  test('that touches the state of the run ends it', async () => {
    const repository = new Repository().act(
      `sed -i 's/"failed": 1/"failed": 0/' .rlm/runs/loop/refine/state.json\n${say}`,
    );
    expect((await repository.refine()).code).toBe(6);
    expect(repository.state()).toMatchObject({
      ended: 'tampered',
      reason: expect.stringContaining('refine/state.json'),
    });
  });

  test('that adds a line to the journal ends it', async () => {
    const repository = new Repository().act(
      `echo '{"ts":"2026-01-01T00:00:00.000Z","type":"note","message":"x"}' >> .rlm/runs/loop/events.jsonl\n${say}`,
    );
    expect((await repository.refine()).code).toBe(6);
    expect(repository.state()).toMatchObject({
      ended: 'tampered',
      reason: expect.stringContaining('events.jsonl'),
    });
  });

  test('that leaves early with exit code 0 runs fewer tests than before, and does not pass for that', async () => {
    const repository = new Repository().act(
      `echo 'process.exit(0); export const add = 1;' > src/math.js\n${say}`,
    );
    expect((await repository.refine()).code).toBe(3);
    expect(repository.iterations()[0]?.validator).toMatchObject({
      passed: true,
      tests: { ran: 1, failed: 0 },
    });
    expect(repository.prompt(2)).toContain('1 tests ran where 2 ran before');
    expect(readFileSync(join(repository.path(), 'refine/iterations/0001.patch'), 'utf8')).toContain(
      '+process.exit(0)',
    );
  });
});

test('prompts stay flat over 50 iterations', { timeout: 240_000 }, async () => {
  const repository = new Repository({
    ...NODE_PROJECT,
    'check.sh': '#!/bin/sh\necho "FAIL case $(wc -l < src/math.js) of the list"\nexit 1\n',
  }).act(`${TRY}\necho "Summary: a long story $(head -c 400 /dev/zero | tr '\\0' y)"`);
  expect(
    (await repository.refine('--validator', './check.sh', '--max-iterations', '50', '--stop-after-same', '0'))
      .code,
  ).toBe(3);
  expect(repository.turns).toBe(50);
  const sizes = [10, 30, 50].map((turn) => repository.prompt(turn).length);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(600);
  expect(repository.state().lines[0]?.tried.join('\n').length).toBeLessThanOrEqual(2000);
});
