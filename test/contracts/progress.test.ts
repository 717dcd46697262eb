import { expect, test } from 'vitest';
import { countEvent, emptyProgress, type JournalEvent, NO_USAGE } from '../../src/contracts/index.ts';

const ts = '2026-11-20T00:00:00.000Z';
const driver = { host: 'h', pid: 1, start: '' };
const started = (generation: number): JournalEvent => ({ ts, type: 'driver_started', generation, driver });
const announced = (added: number, carried: number): JournalEvent => ({
  ts,
  type: 'assignments',
  added,
  carried,
  concurrency: 4,
  worker: 'codex/exec',
  why: 'asked for',
});
const accepted = (id: string): JournalEvent => ({
  ts,
  type: 'result',
  result: {
    id,
    status: 'accepted',
    attempts: 1,
    usage: NO_USAGE,
    cost_usd: null,
    duration_ms: 1,
    worker: 'codex',
    model: null,
    cache_hit: false,
    failure_class: null,
    errors: [],
    log_paths: [],
    key: 'k',
  },
});

test('after a resume the counts stay until the work is announced, and say what was carried over', () => {
  const progress = emptyProgress();
  const count = (...events: JournalEvent[]) => {
    for (const event of events) countEvent(progress, event);
    return { ...progress };
  };
  expect(count(started(1), announced(10, 0), accepted('a'), accepted('b'), accepted('c'))).toMatchObject({
    total: 10,
    accepted: 3,
    carried: 0,
  });
  expect(count(started(2))).toMatchObject({ total: 10, accepted: 3, stale: true });
  expect(count(announced(10, 3))).toMatchObject({ total: 10, accepted: 3, carried: 3, stale: false });
  expect(count(accepted('d'))).toMatchObject({ accepted: 4, carried: 3 });
  // A second stage of the same driver adds to the first.
  expect(count(announced(5, 0))).toMatchObject({ total: 15, accepted: 4, carried: 3 });
});
