import type { TestCounts } from '../contracts/index.ts';
import { oneLine, sanitize, sha256, truncate } from '../text/index.ts';

/** What is kept of a validator's output for the next turn. */
export interface Digest {
  tests: TestCounts | null;
  /** Lines that name a failure. */
  failures: string[];
  fingerprint: string;
}

const MAX_FAILURES = 20;
const MAX_FAILURE_CHARS = 200;
/** Lines at the end that stand for a failure which no rule recognises. */
const LAST_LINES = 40;

/** A line that names what failed, in the output of common test runners and compilers. */
const FAILURE_LINE =
  /^\s*(?:not ok\b|✖|✗|✕|×|●|--- FAIL|FAIL(?:ED)?\b|ERROR\b|E\s{2,}|error(?:\[\w+\])?:|panicked at|thread '.*' panicked|\d+\) )|\b(?:\w*Error|\w*Exception|AssertionError|assertion .*failed|panic):|: error [A-Z]*\d*:|\.\.\. FAILED$|\bFAILED\b/;
/** Numbered repeats of the same and summaries: they say nothing of their own. */
const NOISE =
  /^\s*(?:# |ℹ |FAIL(?:ED)? \((?:failures|errors)=|\d+ (?:failing|failed|errors?)\b|Tests?:|Test Suites?:)/;

/**
 * Reads the output of a test runner.
 *
 * @param text the end of it; counts and failures are in the last part of what runners print
 * @param root paths below it are the same in any worktree
 */
export function digestOutput(text: string, root: string): Digest {
  const lines = sanitize(text).replaceAll(root, '.').split('\n');
  const failing = lines
    .filter((line) => FAILURE_LINE.test(line) && !NOISE.test(line))
    .map((line) => line.trim());
  const distinct = [...new Set(failing)];
  const basis =
    distinct.length > 0 ? distinct : lines.filter((line) => line.trim() !== '').slice(-LAST_LINES);
  // Sorted: runners that work in parallel print in any order.
  const normalised = [...new Set(basis.map(normalise))].sort();
  return {
    tests: countTests(lines),
    failures: distinct.slice(0, MAX_FAILURES).map((line) => oneLine(line, MAX_FAILURE_CHARS)),
    fingerprint: sha256(normalised.join('\n')).slice(0, 16),
  };
}

/** A line without what differs from run to run: times, numbers, addresses, ids, temporary paths. */
function normalise(line: string): string {
  return line
    .replace(/(?:\/[\w.@+-]+){2,}/g, (path) => path.slice(path.lastIndexOf('/')))
    .replace(/\b0x[0-9a-f]+\b|\b[0-9a-f]{7,}\b/gi, '#')
    .replace(/\d+(?:[.,:]\d+)*\s?(?:ms|s|sec|seconds|m|min)?\b/g, '#')
    .replace(/\s+/g, ' ')
    .trim();
}

type Counter = (lines: readonly string[]) => TestCounts | undefined;

/** Sums what a pattern finds; its groups `passed`, `failed`, `total` and `skipped` are numbers. */
function summed(pattern: RegExp, pick: 'all' | 'last' = 'all'): Counter {
  return (lines) => {
    const matches = lines.flatMap((line) => {
      const groups = pattern.exec(line)?.groups;
      return groups === undefined ? [] : [groups];
    });
    const used = pick === 'last' ? matches.slice(-1) : matches;
    if (used.length === 0) return undefined;
    const counts = { ran: 0, failed: 0 };
    for (const groups of used) {
      const number = (name: string) => Number(groups[name] ?? 0);
      const failed = number('failed') + number('errors');
      const ran =
        groups.total === undefined ? number('passed') + failed : number('total') - number('skipped');
      counts.ran += ran;
      counts.failed += failed;
    }
    return counts;
  };
}

/** Counts that stand on lines of their own, such as `# pass 3`. */
function separate(passed: RegExp, failed: RegExp): Counter {
  return (lines) => {
    const read = (pattern: RegExp) =>
      lines.flatMap((line) => {
        const count = pattern.exec(line)?.[1];
        return count === undefined ? [] : [Number(count)];
      });
    const [good, bad] = [read(passed), read(failed)];
    if (good.length === 0 && bad.length === 0) return undefined;
    const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
    return { ran: sum(good) + sum(bad), failed: sum(bad) };
  };
}

/** How runners print their counts. The first rule that finds something decides. */
const COUNTERS: readonly Counter[] = [
  // vitest: `Tests  1 failed | 12 passed | 1 skipped (14)`
  summed(/^\s*Tests\s+(?:(?<failed>\d+) failed)?[\s|]*(?:(?<passed>\d+) passed)?.*\(\d+\)\s*$/),
  // jest: `Tests:       1 failed, 1 skipped, 2 passed, 4 total`
  summed(
    /^Tests:\s+(?:(?<failed>\d+) failed, )?(?:(?<skipped>\d+) (?:skipped|todo), )*(?:\d+ todo, )?(?:\d+ passed, )?(?<total>\d+) total/,
  ),
  // cargo: one line a binary
  summed(/^test result: \w+\. (?<passed>\d+) passed; (?<failed>\d+) failed/),
  // pytest: `=== 1 failed, 3 passed, 1 skipped in 0.12s ===`, also without the frame
  (lines) => {
    const line = lines.findLast((text) => /\b(?:passed|failed|errors?)\b.* in [\d.]+s/.test(text));
    if (line === undefined) return undefined;
    const read = (word: string) => Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0);
    const failed = read('failed') + read('errors?');
    return { ran: read('passed') + read('xfailed') + read('xpassed') + failed, failed };
  },
  // dotnet: `Failed:     1, Passed:     2, Skipped:     0, Total:     3`
  summed(/Failed:\s+(?<failed>\d+), Passed:\s+(?<passed>\d+), Skipped:/),
  // maven: the last line is the sum
  summed(
    /Tests run: (?<total>\d+), Failures: (?<failed>\d+), Errors: (?<errors>\d+), Skipped: (?<skipped>\d+)/,
    'last',
  ),
  // node:test, TAP and spec: `# pass 3` or `ℹ pass 3`
  separate(/^(?:#|ℹ) pass (\d+)/, /^(?:#|ℹ) fail (\d+)/),
  // mocha: `3 passing (5ms)`, `1 failing`
  separate(/^\s*(\d+) passing\b/, /^\s*(\d+) failing\b/),
  // bun: ` 3 pass`, ` 1 fail`
  separate(/^\s*(\d+) pass$/, /^\s*(\d+) fail$/),
  // deno: `ok | 3 passed | 0 failed (5ms)`
  summed(/\| (?<passed>\d+) passed.*\| (?<failed>\d+) failed/),
];

function countTests(lines: readonly string[]): TestCounts | null {
  for (const count of COUNTERS) {
    const counts = count(lines);
    if (counts !== undefined) return counts;
  }
  return countGo(lines);
}

/** go prints no sums: with -v its tests are counted, else the packages that have any. */
function countGo(lines: readonly string[]): TestCounts | null {
  const count = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length;
  const verbose = { passed: count(/^\s*--- PASS: /), failed: count(/^\s*--- FAIL: /) };
  if (verbose.passed > 0) return { ran: verbose.passed + verbose.failed, failed: verbose.failed };
  const packages = { passed: count(/^ok {2}\t\S+\t/), failed: count(/^FAIL\t\S+(?:\t| \[)/) };
  const ran = packages.passed + packages.failed;
  return ran === 0 ? null : { ran, failed: packages.failed };
}

/** The end of an output as the next turn reads it. @param max in characters */
export function endOf(text: string, max: number): string {
  const clean = sanitize(text).trimEnd();
  if (clean.length <= max) return clean;
  const end = truncate(clean, max, { keep: 'end', mark: '' });
  // Whole lines, unless there is only one.
  const newline = end.indexOf('\n');
  return newline === -1 ? end : end.slice(newline + 1);
}
