import { describe, expect, it } from 'vitest';
import type { Budget } from '../../src/contracts/index.ts';
import { BudgetLedger, costOf } from '../../src/dispatch/index.ts';

const nothing = { workers: 0, attempts: 0, tokens: 0, costUsd: 0, workedMs: 0 };
const used = (input: number, output: number) => ({
  input_tokens: input,
  cached_input_tokens: 0,
  output_tokens: output,
  reasoning_output_tokens: 0,
});
const ledger = (budget: Budget, spent = nothing) =>
  new BudgetLedger(budget, spent, 0, { input: 1, output: 10 }, false);

describe('the budget', () => {
  it('admits nothing past a number of workers or attempts', () => {
    const workers = ledger({ max_workers: 2 });
    expect(workers.reserve(100, true, 0)).toBeTypeOf('object');
    expect(workers.reserve(100, false, 0)).toBeTypeOf('object');
    expect(workers.reserve(100, true, 0)).toBeTypeOf('object');
    expect(workers.reserve(100, true, 0)).toBe('max_workers 2 reached');
    const attempts = ledger({ max_attempts: 3 }, { ...nothing, attempts: 2 });
    expect(attempts.reserve(100, true, 0)).toBeTypeOf('object');
    expect(attempts.reserve(100, false, 0)).toBe('max_attempts 3 reached');
  });

  it('counts calls under way at the mean of those before', () => {
    const tokens = ledger({ max_tokens: 10_000 });
    const first = tokens.reserve(4000, true, 0);
    if (typeof first === 'string') expect.fail(first);
    expect(first.tokens).toBe(2000);
    expect(tokens.mustProbe).toBe(true);
    tokens.settle(first, used(2500, 500), null);
    expect(tokens.mustProbe).toBe(false);
    // 3000 used; each further one is expected to use 3000: two fit, a third would pass the limit.
    expect(tokens.reserve(4000, true, 0)).toMatchObject({ tokens: 3000 });
    expect(tokens.reserve(4000, true, 0)).toMatchObject({ tokens: 3000 });
    expect(tokens.reserve(4000, true, 0)).toContain('max_tokens 10000: 3000 used, 6000 reserved');
  });

  it('counts what earlier drivers used', () => {
    expect(ledger({ max_tokens: 5000 }, { ...nothing, tokens: 4500 }).reserve(400, true, 0)).toContain(
      '4500 used',
    );
  });

  it('ends with its minutes', () => {
    const minutes = ledger({ max_minutes: 2 });
    expect(minutes.remainingMs(30_000)).toBe(90_000);
    expect(minutes.reserve(1, true, 119_999)).toBeTypeOf('object');
    expect(minutes.reserve(1, true, 120_000)).toBe('max_minutes 2 is over');
  });

  it('keeps to dollars, and refuses such a limit where no price is known', () => {
    const dollars = ledger({ max_cost_usd: 0.05 });
    const first = dollars.reserve(4000, true, 0);
    if (typeof first === 'string') expect.fail(first);
    dollars.settle(first, used(10_000, 2000), 0.03);
    expect(dollars.reserve(4000, true, 0)).toContain('max_cost_usd 0.05: 0.0300 used, 0.0000 reserved');
    expect(() => new BudgetLedger({ max_cost_usd: 1 }, nothing, 0, undefined, false)).toThrow(
      /price of the model/,
    );
  });

  it('prices cached tokens at their own price', () => {
    const usage = { ...used(1_000_000, 100_000), cached_input_tokens: 600_000 };
    expect(costOf(usage, { input: 2, cached_input: 0.5, output: 10 })).toBeCloseTo(0.8 + 0.3 + 1);
    expect(costOf(usage, { input: 2, output: 10 })).toBeCloseTo(3);
  });
});
