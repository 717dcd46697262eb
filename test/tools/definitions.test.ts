import { readFileSync } from 'node:fs';
import { estimateTokenCount } from 'tokenx';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { describeTools } from '../../src/mcp/tool-calls.ts';
import { TOOLS } from '../../src/tools/index.ts';
import { toolReference } from '../../src/tools/reference.ts';

const LIST_TOKENS_MAX = 12_000;

test('names are unique, of one form, and few', () => {
  const names = TOOLS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^rlm_[a-z]+(_[a-z]+)*$/);
  expect(names.length).toBeLessThanOrEqual(25);
});

test.each(TOOLS.map((tool) => [tool.name, tool] as const))(
  '%s says what it is for, and every field what it takes',
  (_, tool) => {
    expect(Object.keys(tool.annotations).sort()).toEqual([
      'destructiveHint',
      'idempotentHint',
      'openWorldHint',
      'readOnlyHint',
    ]);
    for (const hint of Object.values(tool.annotations)) expect(hint).toBeTypeOf('boolean');
    expect(tool.title.length).toBeLessThanOrEqual(60);
    expect(tool.description.length).toBeGreaterThan(60);
    expect(tool.description.length).toBeLessThanOrEqual(600);
    for (const name of tool.command?.positional ?? []) expect(tool.input.shape).toHaveProperty(name);
    if (tool.startsWork)
      expect(tool.output.shape).toMatchObject({ run_id: {}, state: {}, run_dir: {}, next: {} });
  },
);

test.each(describeTools().map((tool) => [tool.name, tool] as const))(
  '%s has schemas that every client takes: a plain object at the top, defaults and bounds in words',
  (_, tool) => {
    expect(tool.inputSchema.type).toBe('object');
    for (const keyword of ['anyOf', 'oneOf', 'allOf', '$ref', '$schema']) {
      expect(tool.inputSchema).not.toHaveProperty(keyword);
    }
    const Bounds = z.looseObject({
      description: z.string().default(''),
      default: z.unknown().optional(),
      maximum: z.number().optional(),
    });
    for (const [field, property] of Object.entries(tool.inputSchema.properties ?? {})) {
      const { description, default: value, maximum } = Bounds.parse(property);
      expect(description, field).not.toBe('');
      // Codex drops the keywords (FACTS.md 3): what is not said is not known.
      if (value !== undefined) expect(description, field).toMatch(/default/i);
      if (field === 'timeout_sec' && maximum !== undefined) expect(description).toContain(String(maximum));
    }
  },
);

test('the whole list costs a client few tokens', () => {
  const list = describeTools();
  const tokens = estimateTokenCount(JSON.stringify(list));
  console.info(
    `tools/list: ${list.length} tools, ${JSON.stringify(list).length} bytes, about ${tokens} tokens`,
  );
  expect(tokens).toBeLessThan(LIST_TOKENS_MAX);
});

test('docs/TOOLS.md is what the definitions say', () => {
  const path = new URL('../../docs/TOOLS.md', import.meta.url);
  expect(readFileSync(path, 'utf8'), 'run `npm run docs`').toBe(toolReference());
});
