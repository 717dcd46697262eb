import { expect, test } from 'vitest';
import { z } from 'zod';
import { RlmError } from '../../src/errors.ts';
import { describeError } from '../../src/mcp/errors.ts';
import { callTool, createContext } from '../../src/tools/index.ts';
import { defineTool, withHandler } from '../../src/tools/tool.ts';
import { temporaryDirectory } from '../support/runs.ts';

const annotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};

const definition = defineTool({
  name: 'rlm_search',
  title: 'Echo',
  description: 'Says what it was given.',
  input: z.object({
    text: z.string().describe('The text'),
    times: z.int().min(1).max(3).default(1).describe('1 to 3, default 1'),
    words: z.array(z.string()).optional().describe('Words'),
    top: z
      .union([z.int().positive(), z.literal('all')])
      .optional()
      .describe('A number, or all'),
    tasks: z
      .array(z.object({ id: z.string(), inputs: z.array(z.string()).optional() }))
      .optional()
      .describe('Tasks'),
    fast: z.boolean().default(false).describe('Default false'),
    model: z
      .string()
      .refine((model) => model.trim() !== '', 'must be a non-empty string')
      .optional()
      .describe('Model'),
  }),
  example: { text: 'a' },
  output: z.object({ said: z.string(), more: z.record(z.string(), z.unknown()).optional() }),
  annotations,
});
const echo = withHandler(definition, async () => async ({ text, times, ...more }) => ({
  said: text.repeat(times),
  more,
}));

function context(root = temporaryDirectory()) {
  return createContext({
    root,
    cwd: root,
    caller: 'mcp',
    signal: new AbortController().signal,
    progress() {},
  });
}

test('defaults are filled in', async () => {
  expect(await callTool(echo, { text: 'a' }, context())).toEqual({
    said: 'a',
    more: { fast: false },
  });
});

test('every wrong field is named, in the words of the caller', async () => {
  const call = callTool(echo, { times: 9, tasks: [{}], tims: 2 }, context(), (field) => `--${field}`);
  await expect(call).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(
      /--text is required; --times: .*3; --tasks.0.id is required; unknown field --tims/,
    ),
    hint: {
      text: 'The fields are --text, --times, --words, --top, --tasks, --fast, --model. For example:',
      action: { tool: 'rlm_search', args: { text: 'a' } },
    },
  });
});

test('what a field must be is said of the field, as the caller calls it', async () => {
  const call = callTool(echo, { text: 'a', model: '  ' }, context(), (field) => `--${field}`);
  await expect(call).rejects.toThrow(/^--model must be a non-empty string$/);
});

test('a result that breaks its own schema is a fault of ours, not of the caller', async () => {
  const broken = { ...echo, run: async () => ({ said: 7 }) };
  await expect(callTool(broken, { text: 'a' }, context())).rejects.toMatchObject({ code: 'internal' });
});

test.each([
  [{ times: '2' }, { said: 'aa' }],
  [{ times: null, words: null }, { said: 'a' }],
  [{ words: 'one' }, { more: { words: ['one'] } }],
  [{ words: '["one", "two"]' }, { more: { words: ['one', 'two'] } }],
  [{ top: '12', fast: 'true' }, { more: { top: 12, fast: true } }],
  [{ top: 'all' }, { more: { top: 'all' } }],
  [{ tasks: { id: 't', inputs: 'x' } }, { more: { tasks: [{ id: 't', inputs: ['x'] }] } }],
  [{ tasks: '[{"id": 7, "inputs": null}]' }, { more: { tasks: [{ id: '7' }] } }],
])('a slip with one meaning is taken as what was meant: %j', async (slip, expected) => {
  expect(await callTool(echo, { text: 'a', ...slip }, context())).toMatchObject(expected);
});

test.each([{ times: 'two' }, { times: '9' }, { fast: 'maybe' }, { tasks: 'all of them' }, { text: null }])(
  'what may mean anything is refused, with an example: %j',
  async (input) => {
    await expect(callTool(echo, { text: 'a', ...input }, context())).rejects.toMatchObject({
      code: 'usage',
      hint: { action: { args: { text: 'a' } } },
    });
  },
);

test('a fault of ours is logged, and a client hears no word of it', async () => {
  const broken = { ...echo, run: () => Promise.reject(new TypeError('secret at /home/me')) };
  await expect(callTool(broken, { text: 'a' }, context())).rejects.toThrow('secret');
  expect(JSON.stringify(describeError(new TypeError('secret at /home/me')))).not.toContain('secret');
  expect(JSON.stringify(describeError(new RlmError('internal', 'secret at /home/me')))).not.toContain(
    'secret',
  );
});
