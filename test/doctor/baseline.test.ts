import { expect, test } from 'vitest';
import { checkNode } from '../../src/doctor/machine.ts';
import { readUsage } from '../../src/doctor/sample-call.ts';

const usage = (input: number, cached: number, output: number, reasoning = 0) => ({
  input_tokens: input,
  cached_input_tokens: cached,
  output_tokens: output,
  reasoning_output_tokens: reasoning,
});

test.each([
  ['little of everything', usage(900, 0, 60), ['Lean']],
  ['much output, short text, no word of reasoning', usage(900, 0, 800), ['Reasoning dominates']],
  ['reasoning as counted by the provider', usage(900, 0, 700, 640), ['Reasoning dominates']],
  ['input beyond what was sent', usage(21_000, 0, 60), ['A fixed prefix dominates']],
  ['a cached prefix', usage(21_000, 20_000, 60), ['A fixed prefix dominates', 'Caching is active']],
])('%s', (_, measured, starts) => {
  const reading = readUsage(measured, { prompt: 700, answer: 50 });
  expect(reading).toHaveLength(starts.length);
  reading.forEach((line, at) => {
    expect(line.startsWith(starts[at] ?? '?')).toBe(true);
  });
});

test.each([
  ['20.18.3', 'fail'],
  ['20.19.0', 'ok'],
  ['22.0.0', 'ok'],
  ['18.20.0', 'fail'],
])('Node %s: %s', (version, status) => {
  expect(checkNode(version).status).toBe(status);
});
