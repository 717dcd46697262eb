import { expect, test } from 'vitest';
import { z } from 'zod';
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
  name: 'rlm_echo',
  title: 'Echo',
  description: 'Says what it was given.',
  input: z.object({
    text: z.string().describe('The text'),
    times: z.int().min(1).max(3).default(1).describe('1 to 3, default 1'),
    model: z
      .string()
      .refine((model) => model.trim() !== '', 'must be a non-empty string')
      .optional()
      .describe('Model'),
  }),
  output: z.object({ said: z.string() }),
  annotations,
});
const echo = withHandler(definition, async () => async ({ text, times }) => ({ said: text.repeat(times) }));

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
  expect(await callTool(echo, { text: 'a' }, context())).toEqual({ said: 'a' });
});

test('every wrong field is named, in the words of the caller', async () => {
  const call = callTool(echo, { times: 9, tims: 2 }, context(), (field) => `--${field}`);
  await expect(call).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(/--text is required; --times: .*3; unknown field --tims/),
    hint: { text: 'The fields are --text, --times, --model.' },
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
