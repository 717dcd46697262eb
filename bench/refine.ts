/*
 * What a refine loop adds to its agent and validator, per iteration, against a shell loop over the same two programs;
 * how long prompts are over 50 iterations; and what an isolated run adds to `git worktree add`.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, report, seconds, times } from './report.ts';

const RLM = join(process.cwd(), 'dist', 'rlm.js');
const FILES = 2000;
const ITERATIONS = 50;
const ROUNDS = 3;

function repository(root: string): void {
  mkdirSync(join(root, 'src'));
  for (let n = 0; n < FILES; n += 1)
    writeFileSync(join(root, 'src', `part-${n}.js`), `export const part = ${n};\n`.repeat(20));
  script(root, 'agent.sh', 'cat > /dev/null\necho "// more" >> src/part-1.js\necho "Summary: one more line"');
  script(root, 'check.sh', `echo "FAIL $(wc -l < src/part-1.js | tr '0-9' 'a-j') lines"\nexit 1`);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=b', '-c', 'user.email=b@localhost', ...args], { cwd: root });
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '-m', 'start');
}

function script(root: string, name: string, body: string): void {
  writeFileSync(join(root, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(root, name), 0o755);
}

const loop = (root: string, iterations: number, more: string[] = []): number => {
  rmSync(join(root, '.rlm'), { recursive: true, force: true });
  const args = [
    'refine',
    'Go on',
    '--run',
    'bench',
    '--command',
    join(root, 'agent.sh'),
    '--validator',
    './check.sh',
  ];
  const limits = ['--max-iterations', String(iterations), '--stop-after-same', '0', ...more];
  const started = performance.now();
  try {
    execFileSync(process.execPath, [RLM, ...args, ...limits], { cwd: root, stdio: 'ignore' });
  } catch {
    // It never passes: that is what is measured.
  }
  return (performance.now() - started) / 1000;
};

function main(): void {
  const root = mkdtempSync(join(tmpdir(), 'rlm-bench-'));
  try {
    repository(root);
    const shell = `for i in $(seq ${ITERATIONS}); do echo prompt | ./agent.sh > /dev/null; ./check.sh > /dev/null; git add --all; git write-tree > /dev/null; done`;
    const rounds = Array.from({ length: ROUNDS }, () => {
      const peer = seconds('sh', ['-c', shell], { cwd: root });
      execFileSync('git', ['reset', '--quiet', '--hard'], { cwd: root });
      const short = loop(root, 1);
      const long = loop(root, ITERATIONS + 1);
      return { peer: peer / ITERATIONS, ours: (long - short) / ITERATIONS };
    });
    const peer = median(rounds.map((round) => round.peer));
    const ours = median(rounds.map((round) => round.ours));
    const prompts = join(root, '.rlm/runs/bench/prompts');
    const sizes = readdirSync(prompts)
      .sort()
      .map((name) => readFileSync(join(prompts, name)).length);
    const at = (n: number) => sizes[n - 1] ?? Number.NaN;
    execFileSync('git', ['checkout', '--quiet', '.'], { cwd: root });

    const trees = Array.from({ length: ROUNDS }, (_, n) => {
      const tree = join(root, '..', `bench-tree-${process.pid}-${n}`);
      const bare = seconds('git', ['worktree', 'add', '--quiet', '--detach', tree], { cwd: root });
      execFileSync('git', ['worktree', 'remove', '--force', tree], { cwd: root });
      const inPlace = loop(root, 1);
      execFileSync('git', ['checkout', '--quiet', '.'], { cwd: root });
      return { bare, isolated: loop(root, 1, ['--isolate', 'worktree']) - inPlace };
    });
    const bare = median(trees.map((tree) => tree.bare));
    const isolated = median(trees.map((tree) => tree.isolated));
    report({
      title: 'Refine (bench/refine.ts)',
      columns: ['what', 'measured', 'peer in the same run', '÷ peer'],
      rows: [
        [
          'an iteration, agent and validator included',
          `${(ours * 1000).toFixed(0)} ms`,
          `shell loop with git add and write-tree: ${(peer * 1000).toFixed(0)} ms`,
          times(ours / peer),
        ],
        ['what the loop adds to an iteration', `${((ours - peer) * 1000).toFixed(0)} ms`, '', ''],
        ['prompt at iterations 1, 10, 30, 50', [1, 10, 30, 50].map((n) => `${at(n)} B`).join(', '), '', ''],
        [
          'what --isolate worktree adds to a run',
          `${isolated.toFixed(2)} s`,
          `git worktree add: ${bare.toFixed(2)} s`,
          times(isolated / bare),
        ],
      ],
      notes: [`A repository of ${FILES} files; ${ITERATIONS} iterations; medians of ${ROUNDS} rounds.`],
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

main();
