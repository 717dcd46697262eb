import { describe, expect, it } from 'vitest';
import { AdaptiveConcurrency } from '../../src/dispatch/policy.ts';

describe('adaptive concurrency', () => {
  it('halves at a fault, once for all calls that were under way, and climbs back', () => {
    const concurrency = new AdaptiveConcurrency(8);
    expect(concurrency.faulted(90, 100)).toBe(4);
    expect(concurrency.faulted(95, 101)).toBeUndefined();
    expect(concurrency.faulted(150, 200)).toBe(2);
    expect(concurrency.succeeded()).toBeUndefined();
    expect(concurrency.succeeded()).toBe(3);
    for (let good = 0; good < 100; good += 1) concurrency.succeeded();
    expect(concurrency.now).toBe(8);
  });

  it('never goes below one', () => {
    const concurrency = new AdaptiveConcurrency(3);
    for (let time = 1; time < 10; time += 1) concurrency.faulted(time * 10, time * 10 + 1);
    expect(concurrency.now).toBe(1);
  });
});
