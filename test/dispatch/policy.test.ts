import { describe, expect, it } from 'vitest';
import type { FailureClass } from '../../src/contracts/index.ts';
import { decide } from '../../src/dispatch/policy.ts';

const limits = { retries: 2, transientRetries: 8, backoffBaseMs: 1000, backoffMaxMs: 60_000 };
const failure = (failureClass: FailureClass, more = {}) => ({ class: failureClass, message: 'x', ...more });
const decision = (
  failureClass: FailureClass,
  counts = { own: 1, transient: 1 },
  canSplit = false,
  change = {},
) => decide(failure(failureClass), counts, { ...limits, ...change }, canSplit, () => 0.5);

describe('what a failure leads to', () => {
  it('stops the run when no attempt can succeed', () => {
    for (const name of ['quota', 'auth', 'config'] as const) expect(decision(name)).toEqual({ next: 'stop' });
  });

  it('backs off after transient errors without using up the retries', () => {
    for (const name of ['throttled', 'server', 'network'] as const) {
      expect(decision(name, { own: 3, transient: 8 })).toMatchObject({ next: 'retry' });
      expect(decision(name, { own: 0, transient: 9 })).toEqual({ next: 'fail' });
    }
  });

  it('waits longer each time, with jitter, up to the longest wait', () => {
    const waits = [1, 2, 3, 4, 8].map((transient) => decision('server', { own: 0, transient }));
    expect(waits).toEqual([750, 1500, 3000, 6000, 45_000].map((delayMs) => ({ next: 'retry', delayMs })));
  });

  it('never comes back earlier than the other side asked for, and takes a very long wait for a failure', () => {
    const asked = (retry_after_ms: number) =>
      decide(failure('throttled', { retry_after_ms }), { own: 0, transient: 1 }, limits, false, () => 0);
    expect(asked(30_000)).toEqual({ next: 'retry', delayMs: 30_000 });
    expect(asked(7_200_000)).toEqual({ next: 'fail' });
  });

  it('splits what was too much, where it can be split', () => {
    expect(decision('overflow', undefined, true)).toEqual({ next: 'split' });
    expect(decision('overflow')).toEqual({ next: 'fail' });
    expect(decision('timeout', undefined, true)).toEqual({ next: 'split' });
    expect(decision('timeout')).toEqual({ next: 'retry', delayMs: 0 });
    expect(decision('timeout', { own: 3, transient: 0 })).toEqual({ next: 'fail' });
  });

  it('asks again after a bad answer or a crash, as often as retries allow', () => {
    for (const name of ['invalid_output', 'crashed'] as const) {
      expect(decision(name, { own: 2, transient: 5 })).toEqual({ next: 'retry', delayMs: 0 });
      expect(decision(name, { own: 3, transient: 0 })).toEqual({ next: 'fail' });
    }
  });

  it('makes one attempt, whatever happens, with no retries', () => {
    for (const name of ['throttled', 'crashed', 'invalid_output', 'timeout', 'overflow'] as const) {
      expect(decision(name, { own: 1, transient: 1 }, true, { retries: 0 })).toEqual({ next: 'fail' });
    }
  });
});
