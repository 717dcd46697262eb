import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { TOOLS } from '../../src/tools/index.ts';
import { connectClient } from '../support/rlm.ts';
import { finishedBatch, temporaryDirectory } from '../support/runs.ts';

const MESSAGES = z.tuple([z.object({ role: z.literal('user'), content: z.object({ text: z.string() }) })]);

async function textOf(client: Client, name: string, given: Record<string, string>): Promise<string> {
  return MESSAGES.parse((await client.getPrompt({ name, arguments: given })).messages)[0].content.text;
}

test('every prompt says what it is for, and names tools and fields that are there', async () => {
  const client = await connectClient(temporaryDirectory());
  const { prompts } = await client.listPrompts();
  expect(prompts.map(({ name }) => name)).toEqual(['ask', 'plan', 'batch', 'run']);
  // The tools as a client has them, with all that stands in their schemas.
  const known = JSON.stringify((await client.listTools()).tools);
  for (const { name, description, arguments: takes = [] } of prompts) {
    expect(description?.length).toBeGreaterThan(20);
    const all = Object.fromEntries(takes.map((argument) => [argument.name, `the ${argument.name}`]));
    const required = Object.fromEntries(
      takes.filter((argument) => argument.required).map((argument) => [argument.name, 'given']),
    );
    for (const given of [all, required]) {
      const text = await textOf(client, name, given);
      for (const value of Object.values(given)) expect(text).toContain(value);
      expect(text).not.toContain('undefined');
      const tools = text.match(/\brlm_[a-z_]+/g) ?? [];
      expect(tools.length).toBeGreaterThan(1);
      for (const tool of tools) expect(TOOLS.map((one) => one.name)).toContain(tool);
      const named = text.match(/\b[a-z]+_[a-z_]+(?=: |, | and dry|\})/g) ?? [];
      for (const field of named) expect(known, field).toMatch(new RegExp(`\\b${field}\\b`));
    }
  }
});

test('a prompt has its arguments as they are, and what was left empty in a form is not given', async () => {
  const client = await connectClient(temporaryDirectory());
  const question = 'What does "it\\n" mean?';
  expect(await textOf(client, 'ask', { documents: 'docs', question })).toContain(
    `Documents: docs\nQuestion: ${question}\n`,
  );
  expect(await textOf(client, 'batch', { input: 'my "jobs".jsonl', question: ' ' })).toContain(
    'Call rlm_run_batch with jobs: "my \\"jobs\\".jsonl".',
  );
});

test.each([
  ['nope', {}, /no prompt 'nope'.*ask, plan, batch, run/],
  ['ask', {}, /documents, question is required/],
  ['ask', { documents: '.', question: ' ' }, /: question is required/],
  ['ask', { question: 'q', docs: 'x' }, /unknown argument docs.*documents, question/],
])('prompt %s with %j is refused as the fault of the caller', async (name, given, message) => {
  const client = await connectClient(temporaryDirectory());
  await expect(client.getPrompt({ name, arguments: given })).rejects.toMatchObject({
    code: -32602,
    message: expect.stringMatching(message),
  });
});

test('paths below the root and runs complete, and nothing else', async () => {
  const root = temporaryDirectory();
  mkdirSync(join(root, 'docs'));
  writeFileSync(join(root, 'docs', 'a.md'), '');
  writeFileSync(join(root, 'done.txt'), '');
  symlinkSync('/etc', join(root, 'etc'));
  const run = finishedBatch(root, { jobs: 1 });
  const client = await connectClient(root);
  const values = async (name: string, argument: string, value: string) => {
    const ref = { type: 'ref/prompt' as const, name };
    return (await client.complete({ ref, argument: { name: argument, value } })).completion.values;
  };
  expect(await values('ask', 'documents', '')).toEqual(['docs/', 'done.txt', 'etc']);
  expect(await values('ask', 'documents', 'do')).toEqual(['docs/', 'done.txt']);
  expect(await values('batch', 'input', 'docs/')).toEqual(['docs/a.md']);
  for (const outside of ['../', '/', 'etc/', 'docs/../../', 'docs/a.md/', '~']) {
    expect(await values('ask', 'documents', outside), outside).toEqual([]);
  }
  expect(await values('run', 'run_id', '')).toEqual([run.id]);
  expect(await values('ask', 'question', '')).toEqual([]);
  expect(await values('nope', 'x', '')).toEqual([]);
});
