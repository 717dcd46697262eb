/*
 * Plants one small fault after the other and runs the tests that must notice it. Takes up to an hour.
 *
 *   npm run mutants [-- <part of a name>…]
 *
 * A fault is a patch in test/mutants/, of what is committed. Before its diff stands what it breaks, and a line
 * `Tests: <file>… [-t <pattern>]`. It is noticed when these tests pass without it and fail with it. They run in a
 * worktree of their own, so that yours stays as it is.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const DIRECTORY = 'test/mutants';
/** Tests that hang notice nothing: a fault may make them wait for ever. */
const TEST_TIMEOUT_MS = 10 * 60_000;

interface Mutant {
  name: string;
  patch: string;
  breaks: string;
  tests: string[];
}

function readMutants(filters: readonly string[]): Mutant[] {
  const names = readdirSync(DIRECTORY).filter((file) => file.endsWith('.patch'));
  return names
    .filter((name) => filters.length === 0 || filters.some((part) => name.includes(part)))
    .sort()
    .map((name) => {
      const text = readFileSync(join(DIRECTORY, name), 'utf8');
      const [head = ''] = text.split(/^diff --git /m);
      const line = /^Tests: (.+)$/m.exec(head)?.[1];
      if (line === undefined) throw new Error(`${name} names no tests`);
      const [files = '', pattern] = line.split(/ -t /);
      const tests = [...files.trim().split(/\s+/), ...(pattern === undefined ? [] : ['-t', pattern])];
      return { name, patch: resolve(DIRECTORY, name), breaks: head.split('\n')[0] ?? '', tests };
    });
}

/** Whether tests pass; undefined when they did not end, or there were none. */
function pass(worktree: string, tests: readonly string[]): boolean | undefined {
  const args = ['vitest', 'run', ...tests, '--maxWorkers=1', '--bail=1', '--reporter=dot'];
  const { status, stdout } = spawnSync('npx', args, {
    cwd: worktree,
    encoding: 'utf8',
    timeout: TEST_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const ran = /Tests {2}.*\d+ (?:passed|failed)/.test(stdout.replace(/\x1b\[[\d;]*m/g, ''));
  return status === null || !ran ? undefined : status === 0;
}

function main(): number {
  const mutants = readMutants(process.argv.slice(2));
  const directory = mkdtempSync(join(tmpdir(), 'rlm-mutants-'));
  const worktree = join(directory, 'tree');
  const git = (...args: string[]) => execFileSync('git', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  git('worktree', 'add', '--detach', worktree, 'HEAD');
  symlinkSync(resolve('node_modules'), join(worktree, 'node_modules'));
  const clean = new Map<string, boolean | undefined>();
  const missed: string[] = [];
  try {
    for (const { name, patch, breaks, tests } of mutants) {
      const started = performance.now();
      const said = (verdict: string) => {
        const seconds = Math.round((performance.now() - started) / 1000);
        console.log(`${verdict.padEnd(8)} ${name} (${seconds} s): ${breaks}`);
        if (verdict !== 'noticed') missed.push(name);
      };
      const key = tests.join(' ');
      if (!clean.has(key)) clean.set(key, pass(worktree, tests));
      if (clean.get(key) !== true) {
        said('unclear');
        continue;
      }
      try {
        git('-C', worktree, 'apply', '--recount', patch);
      } catch {
        said('stale');
        continue;
      }
      said(pass(worktree, tests) === false ? 'noticed' : 'MISSED');
      git('-C', worktree, 'checkout', '--', '.');
    }
  } finally {
    git('worktree', 'remove', '--force', worktree);
    rmSync(directory, { recursive: true, force: true });
  }
  console.log(`${mutants.length - missed.length} of ${mutants.length} faults were noticed.`);
  return missed.length === 0 ? 0 : 1;
}

process.exitCode = main();
