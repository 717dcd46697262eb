import { readFileSync } from 'node:fs';
import { estimateTokenCount } from 'tokenx';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { toolReference } from '../../scripts/tool-reference.ts';
import { OPERATOR_ONLY } from '../../src/contracts/index.ts';
import { describeTools } from '../../src/mcp/tool-calls.ts';
import { inputFor, TOOLS } from '../../src/tools/index.ts';

const LIST_TOKENS_MAX = 9_000;

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
    expect(inputFor(tool, 'mcp').strict().safeParse(tool.example)).toMatchObject({ success: true });
    if (tool.startsWork) expect(tool.input.shape).toHaveProperty('wait_sec');
    if (tool.startsWork)
      expect(tool.output.shape).toMatchObject({ run_id: {}, state: {}, run_dir: {}, next: {} });
  },
);

test.each(TOOLS.map((tool) => [tool.name, tool] as const))(
  '%s has a schema that every client takes: a plain object at the top, defaults and bounds in words',
  (_, tool) => {
    const sent = describeTools().find(({ name }) => name === tool.name)?.inputSchema;
    expect(sent?.type).toBe('object');
    for (const keyword of ['anyOf', 'oneOf', 'allOf', '$ref', '$schema'])
      expect(sent).not.toHaveProperty(keyword);
    const Bounds = z.looseObject({
      description: z.string().default(''),
      default: z.unknown().optional(),
      minimum: z.number().optional(),
      maximum: z.number().optional(),
    });
    const checked = z.toJSONSchema(inputFor(tool, 'mcp'), { io: 'input' });
    for (const [field, property] of Object.entries(checked.properties ?? {})) {
      const { description, default: value, minimum = 0, maximum } = Bounds.parse(property);
      expect(description, field).not.toBe('');
      if (value !== undefined) expect(description, field).toMatch(/default/i);
      if (minimum > 1) expect(description, field).toContain(String(minimum));
      if (maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER)
        expect(description, field).toContain(String(maximum));
    }
  },
);

test.each(TOOLS.filter(({ startsWork }) => startsWork).map((tool) => [tool.name, tool] as const))(
  '%s leaves it to the person who runs the machine how workers are run and which programs there are',
  (_, tool) => {
    const fields = inputFor(tool, 'mcp').shape;
    for (const name of [...OPERATOR_ONLY, 'run_dir', 'setup', 'on_tamper'])
      expect(fields).not.toHaveProperty(name);
    if ('command' in fields) {
      expect(z.toJSONSchema(z.object(fields), { io: 'input' }).properties?.command).toMatchObject({
        type: 'string',
      });
      expect(tool.annotations.destructiveHint).toBe(true);
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
