import { expect, test } from 'vitest';
import { digestOutput, endOf } from '../../src/refine/digest.ts';

/** As the runners print it, with colours where they colour a pipe. */
const OUTPUTS: [name: string, text: string, ran: number, failed: number][] = [
  ['node:test spec', '✖ adds (1.2ms)\nℹ tests 4\nℹ pass 2\nℹ fail 1\nℹ skipped 1\n', 3, 1],
  ['node:test TAP', 'not ok 1 - adds\n# tests 3\n# pass 2\n# fail 1\n', 3, 1],
  [
    'vitest',
    '\x1b[2m      Tests \x1b[22m \x1b[1m\x1b[31m1 failed\x1b[39m\x1b[22m\x1b[2m | \x1b[22m\x1b[32m12 passed\x1b[39m | 2 skipped (15)\n',
    13,
    1,
  ],
  ['vitest all green', '      Tests  12 passed (12)\n', 12, 0],
  ['jest', 'Tests:       1 failed, 1 skipped, 2 passed, 4 total\n', 3, 1],
  ['jest all green', 'Tests:       5 passed, 5 total\n', 5, 0],
  ['mocha', '  3 passing (5ms)\n  1 pending\n  1 failing\n', 4, 1],
  ['pytest', '==== 1 failed, 3 passed, 1 skipped in 0.12s ====\n', 4, 1],
  ['pytest -q', '3 passed in 0.01s\n', 3, 0],
  ['pytest that cannot collect', '=== 1 error in 0.05s ===\n', 1, 1],
  [
    'cargo all green',
    'test result: ok. 1 passed; 0 failed; 0 ignored; finished in 0.01s\ntest result: ok. 0 passed; 0 failed; 0 ignored; finished in 0.00s\n',
    1,
    0,
  ],
  [
    'cargo',
    'test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured\n\ntest result: ok. 2 passed; 0 failed; 0 ignored\n',
    6,
    1,
  ],
  [
    'go',
    'ok  \texample.com/a\t0.01s\nFAIL\texample.com/b\t0.02s\n?   \texample.com/c\t[no test files]\nFAIL\n',
    2,
    1,
  ],
  ['go -v', '--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)\nFAIL\texample.com/b\t0.02s\n', 2, 1],
  [
    'maven',
    'Tests run: 3, Failures: 1, Errors: 0, Skipped: 0 -- in A\nTests run: 7, Failures: 1, Errors: 1, Skipped: 2\n',
    5,
    2,
  ],
  ['dotnet', 'Failed!  - Failed:     1, Passed:     2, Skipped:     0, Total:     3, Duration: 5 ms\n', 3, 1],
  ['bun', ' 3 pass\n 1 fail\n', 4, 1],
  ['deno', 'FAILED | 2 passed | 1 failed (12ms)\n', 3, 1],
];

test.each(OUTPUTS)('counts the tests that %s ran, skipped ones not', (_, text, ran, failed) => {
  expect(digestOutput(text, '/repo').tests).toEqual({ ran, failed });
});

test('a script that prints no count has none, also where it says FAIL or ok', () => {
  expect(digestOutput('FAIL 3 lines\nok then 4\n', '/repo').tests).toBeNull();
  expect(digestOutput('all good\n', '/repo').tests).toBeNull();
});

const failure = (root: string, line: number, ms: number, got: number) =>
  `not ok 2 - subtracts\nAssertionError [ERR_ASSERTION]: expected 1, got ${got}\n    at ${root}/src/math.js:${line}:9\n# duration_ms ${ms}\n# tests 2\n# pass 1\n# fail 1\n`;

test('the same failure has one fingerprint, whatever its directory, numbers and times', () => {
  const first = digestOutput(failure('/home/me/repo', 12, 43.1, 7), '/home/me/repo');
  const second = digestOutput(failure('/tmp/worktree-8f3a2b1', 14, 51.9, 9), '/tmp/worktree-8f3a2b1');
  expect(second.fingerprint).toBe(first.fingerprint);
});

test('another failure has another fingerprint, and the order in which failures are printed does not count', () => {
  const one = digestOutput('not ok 1 - adds\nnot ok 2 - divides\n', '/r').fingerprint;
  expect(digestOutput('not ok 2 - divides\nnot ok 1 - adds\n', '/r').fingerprint).toBe(one);
  expect(digestOutput('not ok 1 - adds\n', '/r').fingerprint).not.toBe(one);
  expect(digestOutput('panic: nil map\n', '/r').fingerprint).not.toBe(
    digestOutput('panic: index out of range\n', '/r').fingerprint,
  );
});

test('names the failures, at most 20 of 200 characters, without escape codes', () => {
  const text = Array.from(
    { length: 50 },
    (_, index) => `\x1b[31mFAIL\x1b[39m case ${index} ${'x'.repeat(300)}`,
  ).join('\n');
  const { failures } = digestOutput(text, '/r');
  expect(failures).toHaveLength(20);
  expect(failures.every((line) => line.length <= 200 && !line.includes('\x1b'))).toBe(true);
});

test('the end of an output is whole lines', () => {
  const text = Array.from({ length: 100 }, (_, index) => `line ${index}`).join('\n');
  const end = endOf(text, 50);
  expect(end.length).toBeLessThanOrEqual(50);
  expect(end).toMatch(/^line \d+\n[\s\S]*line 99$/);
  expect(endOf('short\n', 50)).toBe('short');
});
