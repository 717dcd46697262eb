import { expect, test } from 'vitest';
import type { RunStatus } from '../../src/activities/index.ts';
import { columnsOf, padColumns } from '../../src/cli/columns.ts';
import { duration, progressBlock, progressLine, Rate } from '../../src/cli/progress-text.ts';
import { emptyProgress, SCHEMA_VERSION } from '../../src/contracts/index.ts';

function status(fields: Partial<RunStatus> = {}): RunStatus {
  return {
    record: {
      schema_version: SCHEMA_VERSION,
      run_id: 'run-1',
      kind: 'batch',
      state: 'working',
      created_at: '2026-11-20T00:00:00.000Z',
      generation: 1,
    },
    params: {},
    state: 'working',
    outcome: null,
    failure: null,
    reason: null,
    progress: {
      ...emptyProgress(),
      total: 200,
      accepted: 90,
      failed: 10,
      running: 8,
      cache_hits: 5,
      concurrency: 8,
      cost_usd: 0.1234,
      usage: {
        input_tokens: 1_250_000,
        cached_input_tokens: 900_000,
        output_tokens: 4_500,
        reasoning_output_tokens: 0,
      },
    },
    driver_alive: true,
    next: [],
    journal_size: 0,
    ...fields,
  };
}

test('a plain line says how far, how fast, how long and how much', () => {
  expect(progressLine(status(), 2)).toBe(
    '100/200 done, 10 failed, 8 running (at most 8), 2.0/s, 50s left, 1.25M tokens in (900.0k cached), 4.5k out, $0.1234',
  );
});

test('a pause says why', () => {
  const paused = status({ state: 'input_required', reason: 'quota used up\u001b[2J until 12:00' });
  expect(progressLine(paused, undefined)).toMatch(/^input_required: .*\(quota used up until 12:00\)$/);
});

test('a block fits the terminal and shows failures in the bar', () => {
  const lines = progressBlock(status(), 2, 60);
  for (const line of lines) expect(line.length).toBeLessThan(60);
  expect(lines[1]).toBe(`[${'#'.repeat(13)}xx${'.'.repeat(15)}] 100/200`);
  expect(progressBlock(status({ progress: emptyProgress() }), undefined, 80)[1]).toBe(
    `[${'.'.repeat(30)}] 0/0`,
  );
});

test('in a narrow terminal the bar shrinks, not the numbers, and wide characters count twice', () => {
  const paused = status({ state: 'input_required', reason: '利用枠を使い切りました 👍 until 12:00' });
  for (const columns of [5, 12, 20, 33]) {
    const lines = progressBlock(paused, 2, columns);
    for (const line of lines) expect(columnsOf(line), line).toBeLessThan(columns);
    if (columns > 8) expect(lines[1]).toMatch(/100\/200$/);
  }
  expect(progressBlock(paused, 2, 20)).toEqual([
    'batch run-1  input_',
    '[####.....] 100/200',
    '90 accepted (5 cach',
    '1.25M tokens in (90',
    '利用枠を使い切りま',
  ]);
});

test('columns are those of a terminal', () => {
  expect(['abc', 'ü', 'e\u0301', '日本', '👍🏽', '👨‍👩‍👧', 'Ａ', '✓'].map(columnsOf)).toEqual([
    3, 1, 1, 4, 2, 2, 2, 1,
  ]);
  expect(padColumns('日本', 6)).toBe('日本  ');
});

test('the rate is that of the last half minute', () => {
  const rate = new Rate();
  expect(rate.perSecond).toBeUndefined();
  rate.add(0, 0);
  rate.add(100, 50);
  expect(rate.perSecond).toBeUndefined();
  rate.add(1000, 100);
  expect(rate.perSecond).toBe(100);
  for (let second = 2; second <= 60; second += 1) rate.add(second * 1000, 100 + second);
  expect(rate.perSecond).toBeCloseTo(1, 1);
});

test.each([
  [0.4, '0s'],
  [59.6, '1m00s'],
  [245, '4m05s'],
  [7800, '2h10m'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
