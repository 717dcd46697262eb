import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { claudeEnvironment } from '../support/clients.ts';
import { isolatedCodex } from '../support/codex-home.ts';
import { startModelServer } from '../support/model-server.ts';
import { FIX, FIXED, NODE_PROJECT, Repository, TRY } from '../support/repository.ts';
import { rlm } from '../support/rlm.ts';
import type { Script, ScriptedReply } from '../support/script.ts';

/** A model that writes the file in each turn, and has it right at the third. */
function repairer(write: (text: string) => ScriptedReply): Script {
  return {
    keyOf: (prompt) => /## Iteration\n(\d+)/.exec(prompt)?.[1] ?? 'other',
    reply({ prompt, earlier, body }) {
      const iteration = Number(/## Iteration\n(\d+)/.exec(prompt)?.[1] ?? 0);
      const wrote = /function_call_output|tool_result/.test(
        JSON.stringify(body.input ?? body.messages ?? ''),
      );
      if (iteration === 0) return { kind: 'answer', text: 'ok' };
      if (!wrote && earlier === 0)
        return write(iteration < 3 ? `export const add = (a, b) => a * b + ${iteration};\n` : FIXED);
      return {
        kind: 'answer',
        text: `Done.\nSummary: try ${iteration}\nNext: look at the tests`,
        usage: { input: 100, output: 10 },
      };
    },
  };
}

describe('an agent that repairs at its third turn', { timeout: 180_000 }, () => {
  test('real Codex edits the repository, and nothing of .rlm or .git', async () => {
    const repository = new Repository();
    const shell = (text: string): ScriptedReply => ({
      kind: 'tool',
      name: 'exec_command',
      arguments: {
        cmd: `cat > src/math.js <<'EOF'\n${text}EOF\necho x > .rlm/stray.txt; echo x > .git/stray.txt; echo x > ../outside-$$.txt; touch worked`,
      },
    });
    const model = await startModelServer(repairer(shell));
    onTestFinished(() => model.close());
    const codex = isolatedCodex(join(repository.outside, 'user'), model.url);
    const exit = await rlm(
      [
        'refine',
        'Fix the failing test',
        '--run',
        'loop',
        '--worker',
        'codex',
        '--model',
        'gpt-5.1-codex-mini',
        '--json',
      ],
      {
        cwd: repository.root,
        env: { HOME: codex.home, CODEX_HOME: codex.codexHome, PATH: codex.env.PATH ?? '' },
      },
    );
    expect(exit.code, exit.stderr + exit.stdout).toBe(0);
    expect(repository.read('src/math.js')).toBe(FIXED);
    const iterations = repository.iterations();
    expect(iterations).toHaveLength(3);
    expect(iterations[0]).toMatchObject({
      summary: 'try 1',
      next: 'look at the tests',
      usage: { input_tokens: expect.any(Number) },
    });
    expect(iterations[0]?.commands[0]).toContain('cat > src/math.js');
    expect(repository.git('status', '--porcelain').trim().split('\n').sort()).toEqual(
      ['?? worked', 'M src/math.js'].sort(),
    );
    expect(model.strays).toEqual([]);
  });

  test('real Claude edits the repository', async () => {
    const repository = new Repository();
    const edit = (text: string): ScriptedReply => ({
      kind: 'tool',
      name: 'Write',
      arguments: { file_path: join(repository.root, 'src/math.js'), content: text },
    });
    // Claude wants to have read a file before it writes it.
    const inner = repairer(edit);
    const model = await startModelServer({
      keyOf: inner.keyOf,
      reply(call) {
        const said = JSON.stringify(call.body.messages ?? '');
        if (/## Iteration/.test(call.prompt) && !said.includes('tool_result')) {
          return {
            kind: 'tool',
            name: 'Read',
            arguments: { file_path: join(repository.root, 'src/math.js') },
          };
        }
        const results = said.split('"tool_result"').length - 1;
        const iteration = Number(/## Iteration\n(\d+)/.exec(call.prompt)?.[1] ?? 0);
        if (results === 1)
          return edit(iteration < 3 ? `export const add = (a, b) => a * b + ${iteration};\n` : FIXED);
        return {
          kind: 'answer',
          text: `Summary: try ${iteration}\nNext: nothing`,
          usage: { input: 100, output: 10 },
        };
      },
    });
    onTestFinished(() => model.close());
    const exit = await rlm(
      ['refine', 'Fix the failing test', '--run', 'loop', '--worker', 'claude', '--json'],
      {
        cwd: repository.root,
        env: claudeEnvironment(repository.outside, model.url),
      },
    );
    expect(exit.code, exit.stderr + exit.stdout).toBe(0);
    expect(repository.read('src/math.js')).toBe(FIXED);
    expect(repository.iterations()).toHaveLength(3);
    expect(repository.git('status', '--porcelain')).toBe(' M src/math.js\n');
  });
});

const has = (program: string) => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`]);
    return true;
  } catch {
    return false;
  }
};

const { 'package-lock.json': _lock, ...withoutLock } = NODE_PROJECT;

/** A failing repository of each ecosystem, and the line that repairs it. */
const ECOSYSTEMS: [
  name: string,
  program: string,
  files: Record<string, string>,
  broken: string,
  fixed: string,
  id: string,
][] = [
  ['npm', 'npm', NODE_PROJECT as Record<string, string>, 'src/math.js', FIXED, 'npm-test'],
  [
    'pnpm',
    'pnpm',
    { ...withoutLock, 'pnpm-lock.yaml': "lockfileVersion: '9.0'\n" },
    'src/math.js',
    FIXED,
    'pnpm-test',
  ],
  [
    'pytest',
    'pytest',
    {
      'pyproject.toml': '[tool.pytest.ini_options]\n',
      'math_of_us.py': 'def add(a, b):\n    return a - b\n',
      'tests/test_math.py':
        'import sys\nsys.path.insert(0, ".")\nfrom math_of_us import add\n\ndef test_adds():\n    assert add(1, 2) == 3\n',
      '.gitignore': '__pycache__/\n.pytest_cache/\n.rlm/\n',
    },
    'math_of_us.py',
    'def add(a, b):\n    return a + b\n',
    'pytest',
  ],
  [
    'go',
    'go',
    {
      'go.mod': 'module example.com/small\n\ngo 1.19\n',
      'math.go': 'package small\n\nfunc Add(a, b int) int { return a - b }\n',
      'math_test.go':
        'package small\n\nimport "testing"\n\nfunc TestAdd(t *testing.T) {\n\tif Add(1, 2) != 3 {\n\t\tt.Fatal("wrong")\n\t}\n}\n',
      '.gitignore': '.rlm/\n',
    },
    'math.go',
    'package small\n\nfunc Add(a, b int) int { return a + b }\n',
    'go-test',
  ],
  [
    'cargo',
    'cargo',
    {
      'Cargo.toml': '[package]\nname = "small"\nversion = "0.1.0"\nedition = "2021"\n',
      'src/lib.rs': 'pub fn add(a: i32, b: i32) -> i32 {\n    a - b\n}\n',
      'tests/adds.rs': '#[test]\nfn adds() {\n    assert_eq!(small::add(1, 2), 3);\n}\n',
      '.gitignore': 'target/\n.rlm/\n',
    },
    'src/lib.rs',
    'pub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n',
    'cargo-test',
  ],
];

describe.each(ECOSYSTEMS)('a repository of %s', (_, program, files, broken, fixed, id) => {
  test.skipIf(!has(program) && !process.env.CI)(
    'passes at the third turn of a command',
    { timeout: 180_000 },
    async () => {
      const repository = new Repository(files);
      const comment = broken.endsWith('.py') ? '#' : '//';
      writeFileSync(join(repository.outside, 'fixed'), fixed);
      repository.act(
        `echo "${comment} try 1" >> ${broken}\necho "Summary: one"`,
        `echo "${comment} try 2" >> ${broken}\necho "Summary: two"`,
        `cp "${repository.outside}/fixed" ${broken}\necho "Summary: three"`,
      );
      const exit = await repository.refine();
      expect(exit.code, exit.stdout + exit.stderr).toBe(0);
      expect(repository.state()).toMatchObject({ ended: 'passed', validator: { id } });
      expect(repository.iterations()).toHaveLength(3);
      expect(repository.iterations()[0]?.validator?.tests?.failed).toBeGreaterThan(0);
      expect(readFileSync(join(repository.root, broken), 'utf8')).toBe(fixed);
    },
  );
});

test('what the loops of a task came to: how many passed, and after how many turns', {
  timeout: 90_000,
}, async () => {
  const repository = new Repository().act(TRY, FIX);
  await repository.refine('--task', 'T1');
  repository.git('checkout', '--', 'src/math.js');
  await repository.run(
    'refine',
    'Fix',
    '--run',
    'second',
    '--task',
    'T1',
    '--max-iterations',
    '1',
    '--command',
    'true',
  );
  await repository.run(
    'refine',
    'Fix',
    '--run',
    'third',
    '--task',
    'T2',
    '--max-iterations',
    '1',
    '--command',
    'true',
  );
  const { stdout } = await repository.run('runs', '--kind', 'refine', '--task', 'T1', '--summary', '--json');
  expect(JSON.parse(stdout).summary).toEqual({
    runs: 2,
    passed: 1,
    share_passed: 0.5,
    median_iterations_to_pass: 2,
    ended: { passed: 1, max_iterations: 1 },
  });
  const listed = await repository.run('runs', '--task', 'T2', '--json');
  expect(JSON.parse(listed.stdout).runs.map(({ run_id }: { run_id: string }) => run_id)).toEqual(['third']);
  const page = await repository.run('read', '--uri', 'rlm://runs/loop/iterations', '--json');
  expect(page.stdout).toContain('"passed":true');
  const one = await repository.run('read', '--uri', 'rlm://runs/loop/iterations/2', '--json');
  expect(one.stdout).toContain('+export const add = (a, b) => a + b;');
  const status = await repository.run('status', 'loop', '--json');
  expect(JSON.parse(status.stdout).run).toMatchObject({
    ended: 'passed',
    refine: { validator: 'npm test', iterations: 2, tests: { ran: 2, failed: 0 }, summary: 'fixed the sign' },
    next: [{ tool: 'rlm_read', args: { uri: 'rlm://runs/loop/iterations' } }],
  });
});
